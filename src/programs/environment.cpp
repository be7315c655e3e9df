// src/programs/environment.cpp - what programs of others get to see of this process's environment.
#include "programs/environment.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>

#include "core/letters.h"

extern char** environ;  // NOLINT: POSIX asks for this declaration

namespace glidepath {
namespace {

using namespace std::string_view_literals;

constexpr std::array kAll{"PATH"sv,      "HOME"sv, "USER"sv, "LOGNAME"sv, "TMPDIR"sv, "LD_LIBRARY_PATH"sv,
                          "KRB5CCNAME"sv};
constexpr std::array kOfSlurm{"SLURM_CONF"sv, "SLURM_CLUSTERS"sv, "SLURM_JWT"sv};
// Who pays, which a site may want in every user's profile. Others would go before what the script says.
constexpr std::array kOfSbatch{"SBATCH_ACCOUNT"sv, "SBATCH_QOS"sv, "SBATCH_RESERVATION"sv};
constexpr std::array kSlurmsPrefixes{"SLURM_"sv,   "SBATCH_"sv,   "SQUEUE_"sv, "SACCT_"sv,
                                     "SCANCEL_"sv, "SCONTROL_"sv, "SALLOC_"sv, "SRUN_"sv};
constexpr std::array kOfNpm{"NODE_EXTRA_CA_CERTS"sv, "SSL_CERT_FILE"sv, "SSL_CERT_DIR"sv};
// In either case of letters.
constexpr std::array kOfNetwork{"http_proxy"sv,
                                "https_proxy"sv,
                                "all_proxy"sv,
                                "no_proxy"sv,
                                "npm_config_registry"sv,
                                "npm_config_proxy"sv,
                                "npm_config_https_proxy"sv,
                                "npm_config_noproxy"sv,
                                "npm_config_cafile"sv,
                                "npm_config_strict_ssl"sv,
                                "npm_config_userconfig"sv,
                                "npm_config_globalconfig"sv,
                                "npm_config_cache"sv};
constexpr std::array kOfGnuplot{"FONTCONFIG_FILE"sv, "FONTCONFIG_PATH"sv, "FONTCONFIG_SYSROOT"sv,
                                "XDG_CACHE_HOME"sv,  "XDG_CONFIG_HOME"sv, "XDG_DATA_HOME"sv};

template <typename Names>
bool is_one_of(std::string_view name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_slurms(std::string_view name) {
  return std::any_of(kSlurmsPrefixes.begin(), kSlurmsPrefixes.end(),
                     [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; });
}

bool is_kept(std::string_view name, ProgramKind kind) {
  switch (kind) {
    case ProgramKind::kSlurm:
      return is_one_of(name, kAll) || is_one_of(name, kOfSlurm);
    case ProgramKind::kSbatch:
      return !is_slurms(name) || is_one_of(name, kOfSlurm) || is_one_of(name, kOfSbatch);
    case ProgramKind::kNpm:
      return is_one_of(name, kAll) || is_one_of(name, kOfNpm) || is_one_of(lower(name), kOfNetwork);
    case ProgramKind::kGnuplot:
      return is_one_of(name, kAll) || is_one_of(name, kOfGnuplot);
  }
  return false;
}

}  // namespace

std::vector<std::string> environment_for(ProgramKind kind) {
  std::vector<std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != text.npos && is_kept(text.substr(0, equals), kind)) environment.emplace_back(text);
  }
  if (kind != ProgramKind::kSbatch) environment.emplace_back("LC_ALL=C");
  if (kind == ProgramKind::kSlurm) environment.emplace_back("TZ=UTC0");
  return environment;
}

}  // namespace glidepath
