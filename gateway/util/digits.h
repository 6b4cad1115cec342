/* Digits: a constant number as a string literal, for messages and help texts. */
#ifndef SL_UTIL_DIGITS_H
#define SL_UTIL_DIGITS_H

#define SL_DIGITS(number) SL_DIGITS_OF(number)
#define SL_DIGITS_OF(number) #number

#endif
