/* The families of faults, each a table in a file of its own; registry.c lists them.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_BENCH_OBSTACLE_FAMILIES_H
#define SL_BENCH_OBSTACLE_FAMILIES_H

#include "bench/obstacle/fault.h"

extern const struct ob_fault_type ob_faults_upgrade[];
extern const struct ob_fault_type ob_faults_frame[];
extern const struct ob_fault_type ob_faults_answer[];
extern const struct ob_fault_type ob_faults_hold[];
extern const struct ob_fault_type ob_faults_cut[];
extern const struct ob_fault_type ob_faults_pace[];
extern const struct ob_fault_type ob_faults_repeat[];
extern const struct ob_fault_type ob_faults_cache[];
extern const struct ob_fault_type ob_faults_rewrite[];
extern const struct ob_fault_type ob_faults_header[];
extern const struct ob_fault_type ob_faults_message[];

#endif
