// src/core/schedule_list.cpp - what there is to say of every schedule.
#include "glidepath/schedule.h"

namespace glidepath {

const std::vector<ScheduleInfo>& schedule_list() {
  static const std::vector<ScheduleInfo> list = {
      {"const", "const", "1", "", "const", "1"},
      {"linear", "linear", "1 - p", "Li et al., ICLR 2020 (arXiv 1905.04753)", "linear", "0"},
      {"poly", "poly(power=0.9)", "(1 - p)^power", "DeepLab, Chen et al. 2016 (arXiv 1606.00915)",
       "poly(power=2)", "0"},
      {"cosine", "cosine", "(1 + cos(pi p)) / 2", "Loshchilov & Hutter, ICLR 2017 (arXiv 1608.03983)",
       "cosine", "0"},
      {"step-dN", "step-d2", "gamma^k after k of N drops, at i / (N + 1)", "He et al., CVPR 2016", "step-d2",
       "gamma^N"},
      {"step", "step(0.5,0.75,gamma=0.1)", "gamma^k after k milestones", "He et al., CVPR 2016",
       "step(0.5,0.75)", "gamma^milestones"},
      {"exp", "exp(gamma=0.97,full_epochs=200)", "gamma^(p full_epochs)", "Li et al., ICLR 2020", "exp(0.97)",
       "gamma^full_epochs"},
      {"htd", "htd(L=-6,U=3)", "(1 - tanh(L + (U - L) p)) / 2", "Hsueh et al., WACV 2019 (arXiv 1806.01593)",
       "htd(-6,3)", "0.0025"},
      {"sgdr", "sgdr(T0=10,Tmult=2)", "cosine with restarts, cycles in epochs",
       "Loshchilov & Hutter, ICLR 2017", "sgdr(10,2)", "where its cycle stands"},
      {"sgdr-rN", "sgdr-r2", "cosine with N restarts at even intervals", "Li et al., ICLR 2020, appendix",
       "sgdr-r2", "0"},
      {"rex", "rex", "(1 - p) / (1/2 + (1 - p) / 2)", "Chen et al., MLSys 2022 (arXiv 2107.04197)", "rex",
       "0"},
      {"uba", "uba(phi=2)", "2u / (2 phi + (2 - phi) u), u = 1 + cos(pi p)",
       "arXiv 2505.24452; formula from third-party code", "uba", "0"},
      {"onecycle", "onecycle(peak=30%,div=25,final_div=10000,shape=cosine)",
       "1/div up to 1 at peak, down to 1/(div final_div)", "Smith 2018 (arXiv 1803.09820)", "onecycle",
       "1/(div final_div)"},
      {"wsd", "wsd(decay=20%,shape=sqrt)", "1, then to 0 over the last part",
       "Haegele et al., NeurIPS 2024 (arXiv 2405.18392)", "wsd(decay=20%)", "0"},
      {"inverse-sqrt", "inverse-sqrt(warmup=5%)", "sqrt(w / p) after a warm-up of w",
       "Vaswani et al., NeurIPS 2017", "inverse-sqrt", "sqrt(warmup)"},
      {"plateau", "plateau(factor=0.1,patience=5%,threshold=0.0001)", "factor^k after k plateaus of the loss",
       "ReduceLROnPlateau, PyTorch", "plateau", "as the loss decides"},
      {"d2z", "d2z(warmup=10%)", "warm-up, then linear to 0", "Bergsma et al., ICLR 2025 (arXiv 2502.15938)",
       "d2z", "0"},
  };
  return list;
}

}  // namespace glidepath
