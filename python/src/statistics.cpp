// python/src/statistics.cpp - the statistics of comparisons, for Python.
#include "glidepath/statistics.h"

#include <cstdint>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "glidepath/error.h"
#include "glidepath/gradient_pairs.h"
#include "module.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace glidepath::python {

namespace {

using Values = std::vector<double>;

void bind_gradient_pairs(nb::module_& module) {
  nb::class_<OnlineEstimate>(module, "GradNormEstimate",
                             "What one window of training says of the full gradient's norm.")
      .def_prop_ro("norm", &OnlineEstimate::norm, "sqrt(max(0, squared_norm)).")
      .def_prop_ro("low", &OnlineEstimate::low, "The norm one standard error below; nan for too few pairs.")
      .def_prop_ro("high", &OnlineEstimate::high, "The norm one standard error above; nan for too few pairs.")
      .def_prop_ro("error", &OnlineEstimate::error, "Half of what lies between low and high.")
      .def_prop_ro("noise_scale", &OnlineEstimate::noise_scale,
                   "S^2 / |G|^2 in examples (McCandlish et al. 2018); nan where |G|^2 is not above 0.")
      .def("may_be_high", &OnlineEstimate::may_be_high, "examples"_a,
           "Whether the noise scale exceeds a tenth of the training examples: the estimate may then be too "
           "high.")
      .def_ro("pairs", &OnlineEstimate::pairs)
      .def_ro("peeks", &OnlineEstimate::peeks)
      .def_ro("squared_norm", &OnlineEstimate::squared_norm, "Without bias, and so below 0 at times.")
      .def_ro("squared_error", &OnlineEstimate::squared_error, "Its standard error.")
      .def_ro("noise_trace", &OnlineEstimate::noise_trace, "S^2: the trace of single gradients' covariance.")
      .def("__repr__", [](const OnlineEstimate& estimate) {
        return "GradNormEstimate(norm=" + std::to_string(estimate.norm()) +
               ", low=" + std::to_string(estimate.low()) + ", high=" + std::to_string(estimate.high()) +
               ", pairs=" + std::to_string(estimate.pairs) + ")";
      });
  nb::class_<GradientPairs>(module, "GradientPairs", "The arithmetic under glidepath.torch.GradNorm.")
      .def(nb::init<std::int64_t>(), "examples"_a)
      .def(
          "add_pair",
          [](GradientPairs& window, double inner, double squared, double inverse_images, double lr) {
            window.add_pair({inner, squared, inverse_images, lr});
          },
          "inner"_a, "squared"_a, "inverse_images"_a, "lr"_a)
      .def("add_peek", &GradientPairs::add_peek, "correction"_a)
      .def("estimate", &GradientPairs::estimate)
      .def("start_window", &GradientPairs::start_window)
      .def("state",
           [](const GradientPairs& window) {
             std::vector<Values> pairs;
             for (const GradientPair& pair : window.pairs())
               pairs.push_back({pair.inner, pair.squared, pair.inverse_images, pair.lr});
             return std::tuple<std::vector<Values>, Values, std::size_t>(pairs, window.peeks(),
                                                                         window.older_peeks());
           })
      .def(
          "restore",
          [](GradientPairs& window, const std::vector<Values>& pairs, Values peeks, std::size_t older_peeks) {
            std::vector<GradientPair> read;
            for (const Values& pair : pairs) {
              if (pair.size() != 4) throw InputError("GradNorm's state: a pair has 4 numbers");
              read.push_back({pair[0], pair[1], pair[2], pair[3]});
            }
            window.restore(std::move(read), std::move(peeks), older_peeks);
          },
          "pairs"_a, "peeks"_a, "older_peeks"_a);
}

}  // namespace

void bind_statistics(nb::module_& module) {
  bind_gradient_pairs(module);
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
