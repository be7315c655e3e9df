// python/src/module.h - the parts that the extension glidepath._core is put together from.
#pragma once
#include <nanobind/nanobind.h>

namespace glidepath::python {

void bind_schedules(nanobind::module_& module);
void bind_statistics(nanobind::module_& module);
void bind_forecast(nanobind::module_& module);
void bind_glide(nanobind::module_& module);

}  // namespace glidepath::python
