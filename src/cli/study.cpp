#include "cli/commands.h"
namespace glidepath::cli { void add_study_command(CLI::App&, int&) {} }
