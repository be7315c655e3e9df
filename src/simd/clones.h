// src/simd/clones.h - one loop compiled for several instruction sets.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
// Loops are compiled for each, and the loader takes the best; sanitizers are not ready when it does.
#define GLIDEPATH_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GLIDEPATH_CLONES
#endif
#define GLIDEPATH_INLINE inline __attribute__((always_inline))
