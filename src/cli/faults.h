/* faults.h - builds for tests only: another process says which allocation of this one fails. io */
#pragma once
#include <stdbool.h>

#ifdef GAVEL_MEM_FAULTS
/* Before anything is allocated. When the variable GAVEL_MEM_FAULTS names a file of a struct
 * mem_faults, that file is obeyed from here on, and the allocations of the libraries that let
 * themselves be told go through base/mem.h too. false: the file cannot be used, a line says why. */
bool faults_begin(void);
#else
static inline bool faults_begin(void)
{
	return true;
}
#endif
