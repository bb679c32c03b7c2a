// SPDX-License-Identifier: Apache-2.0
// Everything is linked into one image: hidden declarations make references PC-relative, without a GOT.
#pragma GCC visibility push(hidden)
