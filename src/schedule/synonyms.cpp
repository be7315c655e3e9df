// src/schedule/synonyms.cpp - what users of other programs call things: for hints in error messages.
#include "schedule/synonyms.h"

#include <algorithm>
#include <cctype>

#include "core/words.h"

namespace glidepath::words {
namespace {

struct Elsewhere {
  const char* words;  ///< plain, with spaces between them
  const char* key;
  const char* unit;     ///< what a number given to it needs here
  const char* example;  ///< where no number was given
};

// From the command lines of PyTorch's and timm's examples, Transformers, Lightning, Composer and Ultralytics.
constexpr Elsewhere kOptions[] = {
    {"lr learningrate initiallr initlr maxlr lr0 peaklr", "base_lr", "", ""},
    {"epochs epoch numepochs nepochs maxepochs numtrainepochs trainepochs", "budget", "ep", "30ep"},
    {"steps maxsteps numsteps trainsteps iterations iters maxiters maxiter niter updates batches", "budget",
     "it", "500it"},
    {"time maxtime timelimit timebudget maxduration duration hours maxhours", "budget", "h", "1h30m"},
    {"minutes mins maxminutes", "budget", "m", "20m"},
    {"seconds secs maxseconds", "budget", "s", "90s"},
    {"flops maxflops compute", "budget", "flop", "1e15flop"},
    {"wd l2 weightdecayrate", "weight_decay", "", ""},
    {"opt optim optimiser solver", "optimizer", "", ""},
    {"sched scheduler lrscheduler lrschedule lrschedulertype lrpolicy lrdecay decay", "schedule", "", ""},
    {"bs batch trainbatchsize minibatch minibatchsize b", "batch_size", "", ""},
    {"perdevicetrainbatchsize perdevicebatchsize microbatchsize", "batch_size_per_rank", "", ""},
    {"valbatchsize testbatchsize validationbatchsize perdeviceevalbatchsize", "eval_batch_size", "", ""},
    {"arch architecture network net backbone modelname", "model", "", ""},
    {"dataset datasetname", "data", "", ""},
    {"dataroot datapath datasetdir datadirectory root", "data_dir", "", ""},
    {"numworkers nworkers dataloaderworkers dataloadernumworkers j", "workers", "", ""},
    {"output outputdir outdir savedir savepath saveto logdir rundir project o", "out", "", "runs/a"},
    {"checkpoint ckpt ckptpath resumefrom resumefromcheckpoint continue autoresume", "resume", "", "runs/a"},
    {"warmup warmupepochs warmupsteps warmupratio warmupt", "schedule", "", "\"linear(warmup=5%)\""},
    {"minlr etamin lrf lrend finallr", "schedule", "", "\"linear(min_lr=1e-5)\""},
    {"milestones gamma stepsize decayepochs decayrate", "schedule", "", "\"step(50%,75%,gamma=0.1)\""},
    {"patience patienceepochs", "schedule", "", "\"plateau(patience=5%)\""},
    {"amp bf16 bfloat16 autocast mixedprecision dtype", "precision", "", "bf16"},
    {"fp16 half halfprecision", "precision", "", "fp16"},
    {"gpu cuda accelerator", "device", "", "cuda:0"},
    {"cpuonly nocuda", "device", "", "cpu"},
    {"imgsize imgsz imagesize inputsize resolution cropsize traincropsize", "train_res", "", "224"},
    {"valsize valcropsize testsize valres testres", "eval_res", "", "224"},
    {"evalinterval valinterval valevery testevery evalsteps evalfreq checkvaleverynepoch", "eval_every", "",
     "1ep"},
    {"saveevery saveinterval savesteps savefreq saveperiod checkpointinterval", "checkpoint_every", "", "5m"},
    {"savetotallimit checkpointhist maxcheckpoints", "keep_checkpoints", "", ""},
    {"mixupalpha", "mixup", "", ""},
    {"cutmixalpha", "cutmix", "", ""},
    {"reprob randomerase randomeraseprob", "random_erasing", "", ""},
    {"gradientaccumulationsteps gradaccumsteps accumulategradbatches gradaccum", "micro_batch", "", "32"},
    {"smoothing labelsmooth", "label_smoothing", "", ""},
    {"augmentation aug dataaugmentation noaug", "augment", "", "true"},
    {"randomseed manualseed rngseed", "seed", "", ""},
    {"syncbatchnorm syncbn", "sync_bn", "", "true"},
    {"cfg configfile yaml c", "config", "", "run.toml"},
    {"silent q", "quiet", "", ""},
    {"dry plan estimate", "dry_run", "", ""},
    {"widthmultiplier widthmult", "width", "", ""},
    {"nthreads numthreads cores cpus", "threads", "", ""},
    {"maxtrainsamples limittrainbatches subset", "train_limit", "", ""},
    {"maxevalsamples maxvalsamples limitvalbatches", "test_limit", "", ""},
};

bool is_one_of(std::string_view word, std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

std::string plain(std::string_view word) {
  std::string text;
  for (const char c : word) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80 && std::isalnum(code) != 0) text += static_cast<char>(std::tolower(code));
  }
  return text;
}

std::optional<std::string_view> meant_by(std::string_view word, const std::vector<Synonym>& synonyms) {
  const std::string name = plain(word);
  const auto found = std::find_if(synonyms.begin(), synonyms.end(),
                                  [&](const Synonym& synonym) { return synonym.word == name; });
  return found == synonyms.end() ? std::nullopt : std::optional<std::string_view>(found->meant);
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known,
                       const std::vector<Synonym>& synonyms) {
  const auto meant = meant_by(word, synonyms);
  return meant ? std::string(*meant) : nearest(word, known);
}

std::optional<OptionHint> option_elsewhere(std::string_view name, std::string_view value) {
  const std::string word = plain(name);
  for (const Elsewhere& option : kOptions) {
    if (!is_one_of(word, option.words)) continue;
    const bool is_number = number(value).has_value();
    const bool is_amount = is_number && *option.unit != '\0';
    return OptionHint{option.key, is_amount                 ? std::string(value) + option.unit
                                  : *option.example != '\0' ? std::string(option.example)
                                                            : std::string(is_number ? value : "")};
  }
  return std::nullopt;
}

}  // namespace glidepath::words
