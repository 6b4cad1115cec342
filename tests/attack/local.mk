EXTRA_DIST += \
  tests/attack/attack.py tests/attack/sluiceattack/__init__.py \
  tests/attack/sluiceattack/catalogue.py tests/attack/sluiceattack/families.py tests/attack/sluiceattack/honest.py \
  tests/attack/sluiceattack/loop.py \
  tests/attack/sluiceattack/offenders.py tests/attack/sluiceattack/report.py \
  tests/attack/sluiceattack/sealed.py tests/attack/sluiceattack/tricks.py \
  tests/attack/sluiceattack/victims.py tests/attack/sluiceattack/wires.py \
  tests/attack/sluiceattack/world.py

# Measures the effect of each attack on honest clients, beside a gateway that is not attacked: about an hour.
# ATTACKS=name,name selects attacks. ATTACK has more options, see attack.py --help.
ATTACKS =
ATTACK =

attack: all
	SLUICE=$(abs_builddir)/sluice /usr/bin/python3 $(srcdir)/tests/attack/attack.py \
	  $(if $(ATTACKS),--attacks $(ATTACKS)) $(ATTACK)

.PHONY: attack
