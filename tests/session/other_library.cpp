// tests/session/other_library.cpp - a shared library that is no plug-in.
extern "C" int nothing_of_glidepath() { return 1; }
