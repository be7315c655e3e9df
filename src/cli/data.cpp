#include "cli/commands.h"
namespace glidepath::cli {
void add_data_command(CLI::App&, int&) {}
}  // namespace glidepath::cli
