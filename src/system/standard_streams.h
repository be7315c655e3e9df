// src/system/standard_streams.h - standard input, output and error of a program that may have been started
// without them, or whose reader goes away.
#pragma once

namespace glidepath {

/// For a program's first line. Those that are closed become /dev/null: the first file that is opened would
/// otherwise take their place, and get what is printed. A pipe that nobody reads any more is then an error of
/// what writes to it and no longer the program's end; programs that this one starts have that as they would.
void prepare_standard_streams();

/// Whether nobody will read what is written there: the other end of a pipe is closed.
bool has_lost_its_reader(int descriptor);

}  // namespace glidepath
