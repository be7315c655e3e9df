// python/src/module.cpp - the extension glidepath._core, and how its errors reach Python.
#include "module.h"

#include <exception>

#include "glidepath/error.h"

namespace nb = nanobind;

namespace glidepath::python {
namespace {

// Raises the class of this name from glidepath._errors, which is an Error and a ValueError or RuntimeError.
void raise(const char* name, const Error& error) {
  const nb::object type = nb::module_::import_("glidepath._errors").attr(name);
  PyErr_SetString(type.ptr(), error.what());
}

void translate(const std::exception_ptr& thrown, void* /*payload*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const InputError& error) {
    raise("InputError", error);
  } catch (const RunError& error) {
    raise("RunError", error);
  } catch (const Error& error) {
    raise("Error", error);
  }
}

}  // namespace
}  // namespace glidepath::python

// NOLINTNEXTLINE: a macro of nanobind's
NB_MODULE(_core, module) {
  module.doc() = "The compiled part of glidepath: schedules, budgets, Glide, statistics and forecasts.";
  nb::register_exception_translator(glidepath::python::translate);
  glidepath::python::bind_schedules(module);
  glidepath::python::bind_statistics(module);
  glidepath::python::bind_glide(module);
  glidepath::python::bind_forecast(module);
}
