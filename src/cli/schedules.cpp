#include "cli/commands.h"
namespace glidepath::cli { void add_schedules_command(CLI::App&, int&) {} }
