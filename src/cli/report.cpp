#include "cli/commands.h"
namespace glidepath::cli { void add_report_command(CLI::App&, int&) {} }
