#include "cli/commands.h"
namespace glidepath::cli { void add_train_command(CLI::App&, int&) {} }
