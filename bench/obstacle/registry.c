#include "bench/obstacle/families.h"

#include <stddef.h>

const struct ob_fault_type *const ob_fault_families[] = {
	ob_faults_upgrade, ob_faults_frame, ob_faults_answer, ob_faults_hold, ob_faults_cut,
	ob_faults_pace, ob_faults_repeat, ob_faults_cache, ob_faults_rewrite, ob_faults_message, ob_faults_header,
	NULL,
};
