#compdef getiaction
# getiaction completion for zsh. Written by `getiaction --show-completion zsh`; changes are lost.

_getiaction_options() {
    case "$1" in
        '') printf '%s\n' '--debug	Show tracebacks and library logs
--quiet	Print only results and errors
-q	Print only results and errors
--version	Show versions and exit
--install-completion	Install completion for your shell and exit
--show-completion	Print the completion script for your shell and exit
--shell	Shell to use (default: current)
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'train') printf '%s\n' '--policy	With a dataset for RECIPE: draft a recipe for this policy and train it
-p	With a dataset for RECIPE: draft a recipe for this policy and train it
--config	A recipe laid over the earlier ones; repeatable
-c	A recipe laid over the earlier ones; repeatable
--output-dir	The run folder; new or empty
--ckpt_path	Resume a run: its folder or a .ckpt file; without a value: the latest run of the recipe
--resume	Resume a run: its folder or a .ckpt file; without a value: the latest run of the recipe
--ignore	Train despite these findings or families (GA301,GA5)
--unchecked	Train even if LeRobot could not be read and checks did not run
--print-config	Print the recipe with all defaults and where each value comes from, and exit
--print_config	Print the recipe with all defaults and where each value comes from, and exit
--slurm	Submit the training to SLURM; with options of sbatch, as --slurm "--partition=gpu --gpus-per-node=4"
--array	With --slurm: one run for each value of an override, as seed=1-5 or steps=1000,2000
--dry-run	With --slurm: print the batch script and submit nothing
--model	Policy class or name: ACT, diffusion, …
--data	Data module class: LeRobotDataModule
--dataset	Dataset id
--max-steps	Optimizer steps to train for
--steps	Optimizer steps to train for
--max-epochs	Epochs to train for
--epochs	Epochs to train for
--batch-size	Samples per batch
--num-workers	Processes that load data
--learning-rate	Learning rate
--lr	Learning rate
--logger	Logger: wandb, tensorboard, csv, mlflow, …
--fast-dev-run	Try one batch (or N) and keep nothing
--seed-everything	Seed, which makes a run repeatable
--seed	Seed, which makes a run repeatable
--output_dir	The recipe'\''s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning'\''s Trainer' ;;
        'fit') printf '%s\n' '--config	A recipe laid over the earlier ones; repeatable
-c	A recipe laid over the earlier ones; repeatable
--output-dir	The run folder; new or empty
--ckpt_path	Resume a run: its folder or a .ckpt file; without a value: the latest run of the recipe
--resume	Resume a run: its folder or a .ckpt file; without a value: the latest run of the recipe
--ignore	Train despite these findings or families (GA301,GA5)
--unchecked	Train even if LeRobot could not be read and checks did not run
--print-config	Print the recipe with all defaults and where each value comes from, and exit
--print_config	Print the recipe with all defaults and where each value comes from, and exit
--model	Policy class or name: ACT, diffusion, …
--data	Data module class: LeRobotDataModule
--dataset	Dataset id
--max-steps	Optimizer steps to train for
--steps	Optimizer steps to train for
--max-epochs	Epochs to train for
--epochs	Epochs to train for
--batch-size	Samples per batch
--num-workers	Processes that load data
--learning-rate	Learning rate
--lr	Learning rate
--logger	Logger: wandb, tensorboard, csv, mlflow, …
--fast-dev-run	Try one batch (or N) and keep nothing
--seed-everything	Seed, which makes a run repeatable
--seed	Seed, which makes a run repeatable
--output_dir	The recipe'\''s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning'\''s Trainer' ;;
        'recipes') printf '%s\n' '--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'init') printf '%s\n' '--policy	Policy (prompts if omitted)
-p	Policy (prompts if omitted)
--output	The recipe to write; must not exist; - for stdout
-o	The recipe to write; must not exist; - for stdout
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'migrate') printf '%s\n' '--output	The recipe to write; must not exist; - for stdout
-o	The recipe to write; must not exist; - for stdout
--force	Replace the output file if it exists
--format	How to write the table of keys
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'validate-config') printf '%s\n' '--config	Recipes laid over each other, checked as one
-c	Recipes laid over each other, checked as one
--format	How to write the report
--select	Report only these codes or families (GA3,GA101)
--ignore	Leave out these codes or families
--fix	Make the safe fixes in the files
--unsafe-fixes	With --fix or --diff: also fixes that may change what you meant
--diff	Show the fixes as a diff; change nothing
--smoke	Also train two small batches with the real policy, on the CPU
--measure	Also measure the memory of a step, with a policy that takes no memory
--gpu	Name the needs on this GPU: "RTX 4090", H100, 24GB
--for-machine	Check for the machine that `getiaction describe-machine` described in this file
--model	Policy class or name: ACT, diffusion, …
--data	Data module class: LeRobotDataModule
--dataset	Dataset id
--max-steps	Optimizer steps to train for
--steps	Optimizer steps to train for
--max-epochs	Epochs to train for
--epochs	Epochs to train for
--batch-size	Samples per batch
--num-workers	Processes that load data
--learning-rate	Learning rate
--lr	Learning rate
--logger	Logger: wandb, tensorboard, csv, mlflow, …
--fast-dev-run	Try one batch (or N) and keep nothing
--seed-everything	Seed, which makes a run repeatable
--seed	Seed, which makes a run repeatable
--output_dir	The recipe'\''s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning'\''s Trainer' ;;
        'inspect-dataset') printf '%s\n' '--revision	A tag, branch or commit on the Hub
--format	Output format
--deep	Read the recorded numbers too, and decode some frames of every video
--write-stats	With --deep: write true statistics to meta/stats.json, beside a backup
--html	Also write a page that plays episodes beside their curves
--episode	With --html: an episode to play (repeatable; default: three)
--yes	Download what --deep needs without asking
-y	Download what --deep needs without asking
--seed	Chooses the frames that --deep decodes
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'evaluate') printf '%s\n' '--episodes	Evaluate at most N episodes (default: 50)
--env	Run rollouts in this simulated environment instead (pusht, aloha, …)
--seed	Rollouts: seed of the first episode
--batch-size	Rollouts: environments stepped together
--video	Rollouts: film N episodes
--device	Where the policy runs
--revision	A tag, branch or commit of a Hub id
--format	Output format
--html	Also write a page with plots and pictures
--ignore	Leave these findings out (GA603,GA61)
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment' ;;
        'fetch') printf '%s\n' '--dry-run	Show what is missing and its size; fetch nothing
--model	Policy class or name: ACT, diffusion, …
--data	Data module class: LeRobotDataModule
--dataset	Dataset id
--max-steps	Optimizer steps to train for
--steps	Optimizer steps to train for
--max-epochs	Epochs to train for
--epochs	Epochs to train for
--batch-size	Samples per batch
--num-workers	Processes that load data
--learning-rate	Learning rate
--lr	Learning rate
--logger	Logger: wandb, tensorboard, csv, mlflow, …
--fast-dev-run	Try one batch (or N) and keep nothing
--seed-everything	Seed, which makes a run repeatable
--seed	Seed, which makes a run repeatable
--output_dir	The recipe'\''s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning'\''s Trainer' ;;
        'validate') printf '%s\n' '--config	Measure the latest run of this recipe; repeatable
-c	Measure the latest run of this recipe; repeatable
--ckpt_path	Likewise RUN; `last` and `best` need --config
--episodes	Evaluate at most N episodes (default: 50)
--device	Where the policy runs
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment' ;;
        'test') printf '%s\n' '--config	Measure the latest run of this recipe; repeatable
-c	Measure the latest run of this recipe; repeatable
--ckpt_path	Likewise RUN; `last` and `best` need --config
--episodes	Evaluate at most N episodes (default: 50)
--device	Where the policy runs
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment' ;;
        'predict') printf '%s\n' '--config	Measure the latest run of this recipe; repeatable
-c	Measure the latest run of this recipe; repeatable
--ckpt_path	Likewise RUN; `last` and `best` need --config
--episodes	Evaluate at most N episodes (default: 50)
--device	Where the policy runs
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment' ;;
        'runs') printf '%s\n' '--format	Output format
--html	Also write the comparison as a page with curves
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'push') printf '%s\n' '--private	Who may see a new repository
--public	Who may see a new repository
--dry-run	Check everything, upload nothing
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'merge-adapter') printf '%s\n' '--output	The merged policy'\''s folder; must not exist
-o	The merged policy'\''s folder; must not exist
--revision	A tag, branch or commit of a Hub id
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'list-policies') printf '%s\n' '--grep	Only parameters matching WORD
--for	Show which can train on this dataset (an id or a folder)
--installed	Only those whose packages are installed
--trainable	Only those that learn from demonstrations
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'frame-stores') printf '%s\n' '--delete	Delete them; name datasets, or use --gone or --all
--gone	Only those whose dataset is no longer there
--all	Select all (with --delete)
--path	The folder that a recipe'\''s frame_store.path names
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'schema') printf '%s\n' '--policy	Only recipes for this policy
-p	Only recipes for this policy
--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'describe-machine') printf '%s\n' '--help	Show this message and exit.
-h	Show this message and exit.' ;;
        'explain') printf '%s\n' '--help	Show this message and exit.
-h	Show this message and exit.' ;;
    esac
}

# What the option $2 of the command $1 takes: a kind, or "=" and its words.
_getiaction_takes() {
    case "$1 $2" in
        ' --shell') printf '%s\n' '=bash zsh fish' ;;
        'train --policy') printf '%s\n' 'policy' ;;
        'train -p') printf '%s\n' 'policy' ;;
        'train --config') printf '%s\n' 'recipe' ;;
        'train -c') printf '%s\n' 'recipe' ;;
        'train --output-dir') printf '%s\n' 'folder' ;;
        'train --ckpt_path') printf '%s\n' 'run' ;;
        'train --resume') printf '%s\n' 'run' ;;
        'train --ignore') printf '%s\n' 'code' ;;
        'train --slurm') printf '%s\n' 'text' ;;
        'train --array') printf '%s\n' 'text' ;;
        'train --model') printf '%s\n' 'policy' ;;
        'train --data') printf '%s\n' 'text' ;;
        'train --dataset') printf '%s\n' 'dataset' ;;
        'train --max-steps') printf '%s\n' 'text' ;;
        'train --steps') printf '%s\n' 'text' ;;
        'train --max-epochs') printf '%s\n' 'text' ;;
        'train --epochs') printf '%s\n' 'text' ;;
        'train --batch-size') printf '%s\n' 'text' ;;
        'train --num-workers') printf '%s\n' 'text' ;;
        'train --learning-rate') printf '%s\n' 'text' ;;
        'train --lr') printf '%s\n' 'text' ;;
        'train --logger') printf '%s\n' 'logger' ;;
        'train --fast-dev-run') printf '%s\n' 'text' ;;
        'train --seed-everything') printf '%s\n' 'text' ;;
        'train --seed') printf '%s\n' 'text' ;;
        'train --output_dir') printf '%s\n' 'folder' ;;
        'fit --config') printf '%s\n' 'recipe' ;;
        'fit -c') printf '%s\n' 'recipe' ;;
        'fit --output-dir') printf '%s\n' 'folder' ;;
        'fit --ckpt_path') printf '%s\n' 'run' ;;
        'fit --resume') printf '%s\n' 'run' ;;
        'fit --ignore') printf '%s\n' 'code' ;;
        'fit --model') printf '%s\n' 'policy' ;;
        'fit --data') printf '%s\n' 'text' ;;
        'fit --dataset') printf '%s\n' 'dataset' ;;
        'fit --max-steps') printf '%s\n' 'text' ;;
        'fit --steps') printf '%s\n' 'text' ;;
        'fit --max-epochs') printf '%s\n' 'text' ;;
        'fit --epochs') printf '%s\n' 'text' ;;
        'fit --batch-size') printf '%s\n' 'text' ;;
        'fit --num-workers') printf '%s\n' 'text' ;;
        'fit --learning-rate') printf '%s\n' 'text' ;;
        'fit --lr') printf '%s\n' 'text' ;;
        'fit --logger') printf '%s\n' 'logger' ;;
        'fit --fast-dev-run') printf '%s\n' 'text' ;;
        'fit --seed-everything') printf '%s\n' 'text' ;;
        'fit --seed') printf '%s\n' 'text' ;;
        'fit --output_dir') printf '%s\n' 'folder' ;;
        'init --policy') printf '%s\n' 'policy' ;;
        'init -p') printf '%s\n' 'policy' ;;
        'init --output') printf '%s\n' 'file' ;;
        'init -o') printf '%s\n' 'file' ;;
        'migrate --output') printf '%s\n' 'file' ;;
        'migrate -o') printf '%s\n' 'file' ;;
        'migrate --format') printf '%s\n' '=text json' ;;
        'validate-config --config') printf '%s\n' 'recipe' ;;
        'validate-config -c') printf '%s\n' 'recipe' ;;
        'validate-config --format') printf '%s\n' '=text json sarif github concise' ;;
        'validate-config --select') printf '%s\n' 'code' ;;
        'validate-config --ignore') printf '%s\n' 'code' ;;
        'validate-config --gpu') printf '%s\n' 'text' ;;
        'validate-config --for-machine') printf '%s\n' 'file' ;;
        'validate-config --model') printf '%s\n' 'policy' ;;
        'validate-config --data') printf '%s\n' 'text' ;;
        'validate-config --dataset') printf '%s\n' 'dataset' ;;
        'validate-config --max-steps') printf '%s\n' 'text' ;;
        'validate-config --steps') printf '%s\n' 'text' ;;
        'validate-config --max-epochs') printf '%s\n' 'text' ;;
        'validate-config --epochs') printf '%s\n' 'text' ;;
        'validate-config --batch-size') printf '%s\n' 'text' ;;
        'validate-config --num-workers') printf '%s\n' 'text' ;;
        'validate-config --learning-rate') printf '%s\n' 'text' ;;
        'validate-config --lr') printf '%s\n' 'text' ;;
        'validate-config --logger') printf '%s\n' 'logger' ;;
        'validate-config --fast-dev-run') printf '%s\n' 'text' ;;
        'validate-config --seed-everything') printf '%s\n' 'text' ;;
        'validate-config --seed') printf '%s\n' 'text' ;;
        'validate-config --output_dir') printf '%s\n' 'folder' ;;
        'inspect-dataset --revision') printf '%s\n' 'text' ;;
        'inspect-dataset --format') printf '%s\n' '=text json' ;;
        'inspect-dataset --html') printf '%s\n' 'file' ;;
        'inspect-dataset --episode') printf '%s\n' 'text' ;;
        'inspect-dataset --seed') printf '%s\n' 'text' ;;
        'evaluate --episodes') printf '%s\n' 'text' ;;
        'evaluate --env') printf '%s\n' 'environment' ;;
        'evaluate --seed') printf '%s\n' 'text' ;;
        'evaluate --batch-size') printf '%s\n' 'text' ;;
        'evaluate --video') printf '%s\n' 'text' ;;
        'evaluate --device') printf '%s\n' '=auto cpu cuda mps xpu' ;;
        'evaluate --revision') printf '%s\n' 'text' ;;
        'evaluate --format') printf '%s\n' '=text json' ;;
        'evaluate --html') printf '%s\n' 'file' ;;
        'evaluate --ignore') printf '%s\n' 'code' ;;
        'fetch --model') printf '%s\n' 'policy' ;;
        'fetch --data') printf '%s\n' 'text' ;;
        'fetch --dataset') printf '%s\n' 'dataset' ;;
        'fetch --max-steps') printf '%s\n' 'text' ;;
        'fetch --steps') printf '%s\n' 'text' ;;
        'fetch --max-epochs') printf '%s\n' 'text' ;;
        'fetch --epochs') printf '%s\n' 'text' ;;
        'fetch --batch-size') printf '%s\n' 'text' ;;
        'fetch --num-workers') printf '%s\n' 'text' ;;
        'fetch --learning-rate') printf '%s\n' 'text' ;;
        'fetch --lr') printf '%s\n' 'text' ;;
        'fetch --logger') printf '%s\n' 'logger' ;;
        'fetch --fast-dev-run') printf '%s\n' 'text' ;;
        'fetch --seed-everything') printf '%s\n' 'text' ;;
        'fetch --seed') printf '%s\n' 'text' ;;
        'fetch --output_dir') printf '%s\n' 'folder' ;;
        'validate --config') printf '%s\n' 'recipe' ;;
        'validate -c') printf '%s\n' 'recipe' ;;
        'validate --ckpt_path') printf '%s\n' 'run' ;;
        'validate --episodes') printf '%s\n' 'text' ;;
        'validate --device') printf '%s\n' '=auto cpu cuda mps xpu' ;;
        'validate --format') printf '%s\n' '=text json' ;;
        'test --config') printf '%s\n' 'recipe' ;;
        'test -c') printf '%s\n' 'recipe' ;;
        'test --ckpt_path') printf '%s\n' 'run' ;;
        'test --episodes') printf '%s\n' 'text' ;;
        'test --device') printf '%s\n' '=auto cpu cuda mps xpu' ;;
        'test --format') printf '%s\n' '=text json' ;;
        'predict --config') printf '%s\n' 'recipe' ;;
        'predict -c') printf '%s\n' 'recipe' ;;
        'predict --ckpt_path') printf '%s\n' 'run' ;;
        'predict --episodes') printf '%s\n' 'text' ;;
        'predict --device') printf '%s\n' '=auto cpu cuda mps xpu' ;;
        'predict --format') printf '%s\n' '=text json' ;;
        'runs --format') printf '%s\n' '=text json' ;;
        'runs --html') printf '%s\n' 'file' ;;
        'merge-adapter --output') printf '%s\n' 'folder' ;;
        'merge-adapter -o') printf '%s\n' 'folder' ;;
        'merge-adapter --revision') printf '%s\n' 'text' ;;
        'list-policies --grep') printf '%s\n' 'text' ;;
        'list-policies --for') printf '%s\n' 'dataset' ;;
        'list-policies --format') printf '%s\n' '=text json' ;;
        'frame-stores --path') printf '%s\n' 'folder' ;;
        'frame-stores --format') printf '%s\n' '=text json' ;;
        'schema --policy') printf '%s\n' 'policy' ;;
        'schema -p') printf '%s\n' 'policy' ;;
    esac
}

_getiaction_arguments() {
    case "$1" in
        'train') printf '%s\n' 'recipe' ;;
        'recipes') printf '%s\n' 'shipped' ;;
        'init') printf '%s\n' 'dataset' ;;
        'migrate') printf '%s\n' 'file' ;;
        'validate-config') printf '%s\n' 'recipe' ;;
        'inspect-dataset') printf '%s\n' 'dataset' ;;
        'evaluate') printf '%s\n' 'run' ;;
        'fetch') printf '%s\n' 'recipe' ;;
        'validate') printf '%s\n' 'run' ;;
        'test') printf '%s\n' 'run' ;;
        'predict') printf '%s\n' 'run' ;;
        'runs') printf '%s\n' 'folder' ;;
        'push') printf '%s\n' 'run' ;;
        'merge-adapter') printf '%s\n' 'run' ;;
        'list-policies') printf '%s\n' 'policy' ;;
        'frame-stores') printf '%s\n' 'dataset' ;;
        'explain') printf '%s\n' 'code' ;;
    esac
}

# Offer the lines "word<tab>help" of $1; words that end in "." or "=" go on without a space.
_getiaction_offer() {
    local entry word help
    local -a ended open dashed
    [[ $1 == -* ]] && dashed=(-o)
    for entry in ${(f)1}; do
        word=${entry%%$'\t'*}
        help=''
        [[ $entry == *$'\t'* ]] && help=${entry#*$'\t'}
        entry=${word//:/\\:}${help:+:$help}
        if [[ $word == *[.=] ]]; then open+=("$entry"); else ended+=("$entry"); fi
    done
    (( $#open )) && _describe $dashed 'getiaction' open -S ''
    (( $#ended )) && _describe $dashed 'getiaction' ended
}

_getiaction() {
    local helper="${words[1]%getiaction}getiaction-complete"
    local word="${(Q)PREFIX}" before="${words[CURRENT-1]}" command='' takes i
    for ((i = 2; i < CURRENT; i++)); do
        [[ ${words[i]} != -* ]] && { command=${words[i]}; break; }
    done

    takes=$(_getiaction_takes "$command" "$before")
    # "--format=sa" is completed as "--format sa" is.
    if [[ $word == --*=* && -n $(_getiaction_takes "$command" "${word%%=*}") ]]; then
        takes=$(_getiaction_takes "$command" "${word%%=*}")
        word=${word#*=}
        compset -P '*='
    fi
    if [[ -z $takes ]]; then
        if [[ -z $command && $word != -* ]]; then
            _getiaction_offer 'train	Train the policy that a recipe describes
fit	Train, with LightningCLI-compatible syntax: `getiaction fit --config RECIPE` is `getiaction train RECIPE`
recipes	List the recipes that ship with getiaction, or print one
init	Write a recipe that trains a policy on a dataset
migrate	Write another trainer'\''s configuration as a recipe that trains the same
validate-config	Check recipes and report every problem, each with its place, its reason and its fix
inspect-dataset	Show what is in a LeRobot dataset, what is broken, and which policies can train on it
evaluate	Measure what a trained policy has learned, on recorded episodes
fetch	Download what recipes need: dataset, pretrained weights, tokenizers, processors and backbones
validate	Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI'\''s names
test	Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI'\''s names
predict	Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI'\''s names
runs	List runs: when, how many steps, the best loss, how they ended
push	Upload a policy with its model card, so that `lerobot-eval --policy.path=USER/NAME` runs it
merge-adapter	Merge the adapters of a trained policy into its weights, and write an ordinary policy in LeRobot'\''s format
list-policies	List the policies, what they read, need and download
frame-stores	List the stores of decoded frames, or delete them
schema	Print a JSON Schema of recipes, made from the installed LeRobot and Lightning
describe-machine	Print what this machine has, as JSON: GPUs, memory, packages, cached weights, free disk space
explain	Explain what a rule finds, why it matters, and how to write it instead'
            return
        elif [[ ' train fit validate-config evaluate fetch validate test predict ' == *" $command "* && ( $word == --*.* || ( $word != -* && $before == --*.* && $before != *=* ) ) ]]; then
            _getiaction_offer "$("$helper" overrides "$word" "${(@Q)words[1,CURRENT-1]}" 2>/dev/null)"
            return
        elif [[ $word == -* ]]; then
            _getiaction_offer "$(_getiaction_options "$command")"
            return
        fi
        takes=$(_getiaction_arguments "$command")
    fi
    case "$takes" in
        '='*) _getiaction_offer "${(F)${(s: :)${takes#=}}}" ;;
        policy) _getiaction_offer "$("$helper" policies "$word" 2>/dev/null)" ;;
        logger) _getiaction_offer "$("$helper" loggers "$word" 2>/dev/null)" ;;
        environment) _getiaction_offer "$("$helper" environments "$word" 2>/dev/null)" ;;
        code) _getiaction_offer 'GA101	Invalid YAML.
GA102	A duplicate key.
GA103	A file that is not a recipe.
GA104	A YAML tag.
GA105	A number that other YAML readers read as text.
GA106	A word that YAML reads as true or false.
GA107	A list with an ellipsis.
GA108	Python'\''s `None` instead of `null`.
GA109	A variable that is not expanded.
GA110	An unknown key.
GA111	A key that has a different name here.
GA112	A key in the wrong section.
GA113	A parameter of another policy.
GA114	A required key is missing.
GA115	A key without a value.
GA116	A recipe for lerobot-train.
GA120	A value of the wrong type.
GA121	A value that is not one of the allowed words.
GA122	A number that is out of range.
GA130	A class path that does not exist.
GA131	A class that is not allowed in a recipe.
GA132	An unknown policy.
GA133	A policy named by its class and by its name.
GA140	Several datasets in one recipe.
GA141	A list of episodes that can'\''t be one.
GA142	A dataset that cannot be found.
GA143	A policy parameter that changes nothing here.
GA144	A parameter of the policy set in two places.
GA145	A class by its bare name.
GA146	A time limit that can'\''t be read.
GA147	A part of Lightning that can'\''t be used here.
GA148	A base class of Lightning that can'\''t be used itself.
GA156	A base recipe that cannot be used.
GA157	A class that replaces the one of an earlier file, whose arguments are dropped.
GA163	A policy that can'\''t be uploaded under its name.
GA164	A policy that this machine can'\''t upload.
GA201	More actions executed than predicted.
GA202	A horizon that is not a multiple of the U-Net'\''s factor.
GA203	Temporal ensembling with more than one action per call.
GA204	More observation steps than the policy can read.
GA205	A value that LeRobot does not accept for this parameter.
GA206	Parameters that LeRobot refuses.
GA207	A parameter that LeRobot silently replaces.
GA208	A group of settings that LeRobot refuses.
GA211	More actions executed than predicted ahead.
GA212	A width that can'\''t be divided evenly.
GA213	Pretrained weights of another backbone.
GA214	Group normalization over pretrained weights.
GA215	A number that the network can'\''t be built or used with.
GA221	A run that ends in VQ-BeT'\''s first phase.
GA222	A sequence that does not fit into VQ-BeT'\''s GPT.
GA223	More elites than samples.
GA224	More denoising steps than the policy was trained with.
GA225	Frames dropped for another horizon.
GA231	A setting that can'\''t be trained with.
GA232	An X-VLA without a backbone.
GA233	A random backbone that is never trained.
GA234	A large model trained from random weights.
GA235	A policy that can'\''t learn from demonstrations.
GA236	`use_peft` without adapters to train.
GA237	Renamed features without weights that need it.
GA241	A learning rate that is out of range.
GA242	A state whose normalization does not fit the prompt.
GA243	The trainer'\''s precision contradicts the policy'\''s `dtype`.
GA244	Actions are learned in one unit and returned in another.
GA245	A policy without an inference mode.
GA246	A kind of feature that the recipe'\''s normalization leaves out.
GA247	A policy of LeRobot that this version of getiaction does not know.
GA248	A mapping that lacks a key which the policy reads.
GA249	A width that the base model does not have.
GA250	A checkpoint whose processors name code that is not LeRobot'\''s.
GA251	A pretrained policy that lacks files, or that another LeRobot wrote.
GA255	Averaged weights with settings that defeat them.
GA256	Adapters that can'\''t be trained.
GA257	Adapters for layers that the pretrained policy does not have.
GA260	Two parts of a network that must agree, and don'\''t.
GA301	Action time steps that the policy was not built for.
GA302	Observation time steps that the policy was not built for.
GA303	Time steps that lie between two frames.
GA304	Time steps for a feature that is missing or not read.
GA305	Camera names of the policy that the dataset doesn'\''t have.
GA306	A chosen feature that the dataset does not have.
GA307	No camera for a policy that needs one.
GA308	No state for a policy that needs one.
GA309	No `action` among the predicted features.
GA310	More cameras than the policy takes.
GA311	Cameras of different sizes.
GA312	A camera that is not square.
GA313	A camera that is not a colour camera.
GA314	A crop that is larger than the picture.
GA315	A crop that covers less than half of the picture.
GA316	A picture that is too small for the network.
GA317	No reward for a policy that learns from it.
GA318	A random shift that is not applied.
GA319	An input that shifts VQ-BeT'\''s tokens.
GA320	More joints than the policy has room for.
GA321	Policy parameters that contradict the robot'\''s dimensions.
GA322	Statistics that normalization needs are missing.
GA323	A picture whose size the policy'\''s vision encoder does not take.
GA324	Episodes that the dataset does not have.
GA325	Episodes that are too short to give a sample.
GA326	Targets that are mostly padding.
GA327	A batch larger than the dataset.
GA328	A validation split that can'\''t be made.
GA329	Features that the policy refuses.
GA330	A task longer than the policy reads.
GA331	A tolerance of half a frame or more.
GA332	A validation interval longer than an epoch.
GA333	An epoch without batches.
GA334	A state or action that is text.
GA335	A state or an action that is not a plain vector.
GA336	A metric that no run writes.
GA337	A gripper that is not normalized and goes beyond -1 to 1.
GA338	A joint that the policy treats as a gripper.
GA340	Pretrained weights that are missing or can'\''t be read.
GA341	Weights of another policy.
GA342	Cameras that the pretrained policy does not have.
GA343	State or action sizes that differ from the pretrained policy'\''s.
GA344	Parameters that contradict the pretrained weights.
GA345	A key of `rename_map` that the dataset does not have.
GA346	An environment without an input of the policy.
GA347	An environment whose state or action has another size.
GA348	An environment whose pictures have another size.
GA349	An environment with another frame rate.
GA350	A metric of rollouts that is minimised.
GA351	Fields that the environment refuses.
GA352	Rollouts under another trainer'\''s keys.
GA353	A feature that the policy is given and its network does not read.
GA354	Booleans or integers where the policy computes with floats.
GA355	A random transform that changes the size of the training pictures.
GA356	Relative actions with statistics of absolute actions.
GA357	Timestamps in the tables at which the videos have no picture.
GA358	Excluded episodes that leave nothing, or that were not in use.
GA359	Datasets that can'\''t be trained on together.
GA360	Datasets of a mixture whose steps differ in length.
GA370	A camera whose name no policy sees.
GA371	More batches to accumulate than an epoch has.
GA372	Image transforms that change nothing.
GA401	A file of meta/ is missing.
GA402	A file of meta/ can'\''t be read.
GA403	info.json holds a value that LeRobot can'\''t use.
GA404	The dataset is in a format that LeRobot no longer reads.
GA405	The dataset is in a format that this LeRobot does not support.
GA406	The dataset on the Hub has no version tag.
GA407	LeRobot will not use this copy of the dataset.
GA410	The dataset has no episodes.
GA411	info.json and the episodes disagree on how many episodes there are.
GA412	info.json and the episodes disagree on how many frames there are.
GA413	The episodes'\'' bounds don'\''t fit together.
GA414	The number of frames in the tables disagrees with the episode metadata.
GA415	A split names episodes that don'\''t exist.
GA416	Frame indices in the tables disagree with the episode metadata.
GA421	A table that the episodes need is missing.
GA422	A table can'\''t be read.
GA423	A video that the episodes need is missing.
GA424	A video can'\''t be read.
GA425	A path template of info.json leads out of the dataset, or nowhere.
GA426	The dataset is not portable: broken links or files that can'\''t be opened.
GA427	The tables don'\''t hold what info.json declares.
GA431	The dataset has no statistics.
GA432	A feature has no statistics.
GA433	The statistics hold NaN or infinity.
GA434	The shape of the statistics differs from the feature'\''s.
GA435	The statistics contradict themselves.
GA436	A joint never moves in the whole dataset.
GA437	The statistics of a camera are not for pictures between 0 and 1.
GA438	The statistics do not match the episodes.
GA441	The dataset'\''s fps is not its videos'\'' fps.
GA442	An episode'\''s stretch of video is not as long as the episode.
GA443	A video ends before its last episode does.
GA444	The size of the videos differs from info.json.
GA451	The dataset has no task.
GA452	The tasks are not in the order of their numbers.
GA453	A task has no text.
GA454	Tasks that are counted or named, but missing.
GA461	A feature'\''s name has a slash.
GA462	The features have the names of another framework.
GA463	A camera'\''s shape can'\''t be understood.
GA466	The number of a feature'\''s names differs from its dimensions.
GA467	A feature that LeRobot itself needs is not declared.
GA468	A feature has a dtype that LeRobot does not support.
GA471	Recorded values that are NaN or infinite.
GA472	A joint jumps from one frame to the next.
GA473	A joint does not move where it should.
GA474	A joint'\''s recorded values are clipped at a limit.
GA475	The timestamps do not match the frame rate.
GA476	The rows of the tables are not where the metadata says.
GA477	The statistics do not match the data.
GA478	The quantiles do not match the data.
GA479	An episode occurs twice.
GA480	The action lags behind the state.
GA481	Pictures can'\''t be decoded, or are not where LeRobot looks for them.
GA482	A camera'\''s pictures are black or one colour.
GA483	A camera is frozen: its picture never changes.
GA484	A table opens, but its rows can'\''t be read.
GA485	A standard deviation that contradicts `min` and `max`.
GA501	An accelerator that this machine does not have.
GA502	More devices than there are, or another number of processes than were started.
GA503	A precision that can'\''t be used here.
GA504	A large policy on a CPU.
GA505	A policy whose packages are not installed.
GA506	A video decoder that can'\''t be loaded.
GA507	Weights that would have to be downloaded, offline.
GA508	Weights that need a licence to be accepted.
GA509	A run folder that is taken, or that can'\''t be made.
GA510	A disk that is too small for the checkpoints.
GA511	A logger that can'\''t log.
GA512	A frame store that can'\''t hold the dataset.
GA513	Too little shared memory for the workers.
GA514	An environment variable that stops LeRobot.
GA515	VQ-BeT on Apple'\''s GPU.
GA516	Pictures that make ACT very large.
GA517	A policy that needs more memory than the GPU has.
GA518	Workers that need more memory than there is.
GA519	A codebook in mixed precision.
GA520	A policy that trains on an NVIDIA GPU only.
GA521	An environment whose packages are not installed.
GA522	An environment that getiaction does not create.
GA523	A task that the environment does not have.
GA524	A batch that was measured not to fit the GPU.
GA540	Frames that would have to be downloaded, offline.
GA601	The policy predicts no better than one constant action.
GA602	The policy predicts hardly better than holding still.
GA603	The policy does not use its cameras.
GA604	The policy does not use the robot'\''s state.
GA605	The policy has not learned one of the joints.
GA606	The policy is good on the episodes it was trained on and poor on others.
GA607	The policy predicts actions that were never recorded.
GA608	The policy'\''s actions are cut off at a limit.
GA609	The actions jump where one chunk ends and the next begins.
GA610	A prediction takes longer than its actions last.
GA611	Only episodes that the policy was trained on were evaluated.' ;;
        dataset) _getiaction_offer "$("$helper" datasets "$word" 2>/dev/null)"; _path_files -/ ;;
        run) _getiaction_offer "$("$helper" runs "$word" 2>/dev/null)"; _files ;;
        shipped) _getiaction_offer "$("$helper" recipes "$word" 2>/dev/null)" ;;
        recipe) _getiaction_offer "$("$helper" recipes "$word" 2>/dev/null)"; _files -g '*.(yaml|yml)(-.)' ;;
        folder) _path_files -/ ;;
        file) _files ;;
    esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _getiaction "$@"
else
    compdef _getiaction getiaction
fi
