// python/src/statistics.cpp - the statistics of comparisons, for Python.
#include "glidepath/statistics.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <string>
#include <vector>

#include "module.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace glidepath::python {

void bind_statistics(nb::module_& module) {
  nb::class_<PairedDifference>(
      module, "PairedDifference",
      "The difference a - b of runs that belong together in pairs: of the same seed.")
      .def_ro("pairs", &PairedDifference::pairs)
      .def_ro("mean", &PairedDifference::mean, "Mean of a - b; nan without a pair.")
      .def_ro("stddev", &PairedDifference::stddev, "Of the differences, n - 1 in the denominator.")
      .def_ro("p_value", &PairedDifference::p_value,
              "Two-sided, of Student's paired t; 1 for fewer than 2 pairs.")
      .def("half_width", &PairedDifference::half_width, "alpha"_a = 0.05,
           "Half the interval mean +- that holds the true difference with probability 1 - alpha.")
      .def("__repr__", [](const PairedDifference& difference) {
        return "PairedDifference(mean=" + std::to_string(difference.mean) +
               ", half_width=" + std::to_string(difference.half_width(0.05)) +
               ", p_value=" + std::to_string(difference.p_value) +
               ", pairs=" + std::to_string(difference.pairs) + ")";
      });
  module.def("paired_difference", &paired_difference, "a"_a, "b"_a,
             "Compares two lists of one length, pair by pair. Raises InputError when the lengths differ.\n\n"
             ">>> import glidepath\n"
             ">>> difference = glidepath.paired_difference([91.2, 90.8, 91.5], [90.9, 90.2, 91.3])\n"
             ">>> round(difference.mean, 3), round(difference.half_width(0.05), 2)\n"
             "(0.367, 0.52)");
  module.def("holm", &holm, "p_values"_a,
             "p-values of several comparisons, adjusted by Holm's step-down method (1979).\n\n"
             ">>> import glidepath\n"
             ">>> glidepath.holm([0.01, 0.04, 0.03])\n"
             "[0.03, 0.06, 0.06]");
  module.def("pairs_needed", &pairs_needed, "difference"_a, "stddev"_a, "alpha"_a = 0.05, "power"_a = 0.8,
             "Pairs that a paired t test needs to find `difference` with probability `power`.\n\n"
             ">>> import glidepath\n"
             ">>> glidepath.pairs_needed(difference=0.5, stddev=0.4)\n"
             "8");
}

}  // namespace glidepath::python
