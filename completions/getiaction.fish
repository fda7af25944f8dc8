# getiaction completion for fish. Written by `getiaction --show-completion fish`; changes are lost.

function __getiaction_options
    switch "$argv[1]"
        case ''
            printf '%s\n' '--debug	Show tracebacks and library logs
--quiet	Print only results and errors
-q	Print only results and errors
--version	Show versions and exit
--install-completion	Install completion for your shell and exit
--show-completion	Print the completion script for your shell and exit
--shell	Shell to use (default: current)
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'train'
            printf '%s\n' '--policy	With a dataset for RECIPE: draft a recipe for this policy and train it
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
--output_dir	The recipe\'s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning\'s Trainer'
        case 'fit'
            printf '%s\n' '--config	A recipe laid over the earlier ones; repeatable
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
--output_dir	The recipe\'s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning\'s Trainer'
        case 'recipes'
            printf '%s\n' '--help	Show this message and exit.
-h	Show this message and exit.'
        case 'init'
            printf '%s\n' '--policy	Policy (prompts if omitted)
-p	Policy (prompts if omitted)
--output	The recipe to write; must not exist; - for stdout
-o	The recipe to write; must not exist; - for stdout
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'migrate'
            printf '%s\n' '--output	The recipe to write; must not exist; - for stdout
-o	The recipe to write; must not exist; - for stdout
--force	Replace the output file if it exists
--format	How to write the table of keys
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'validate-config'
            printf '%s\n' '--config	Recipes laid over each other, checked as one
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
--output_dir	The recipe\'s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning\'s Trainer'
        case 'inspect-dataset'
            printf '%s\n' '--revision	A tag, branch or commit on the Hub
--format	Output format
--deep	Read the recorded numbers too, and decode some frames of every video
--write-stats	With --deep: write true statistics to meta/stats.json, beside a backup
--html	Also write a page that plays episodes beside their curves
--episode	With --html: an episode to play (repeatable; default: three)
--yes	Download what --deep needs without asking
-y	Download what --deep needs without asking
--seed	Chooses the frames that --deep decodes
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'evaluate'
            printf '%s\n' '--episodes	Evaluate at most N episodes (default: 50)
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
--env.	fields of the simulated environment'
        case 'fetch'
            printf '%s\n' '--dry-run	Show what is missing and its size; fetch nothing
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
--output_dir	The recipe\'s `output_dir`; --output-dir wins over it
--help	Show this message and exit.
-h	Show this message and exit.
--model.	the policy
--data.	the dataset
--trainer.	Lightning\'s Trainer'
        case 'validate'
            printf '%s\n' '--config	Measure the latest run of this recipe; repeatable
-c	Measure the latest run of this recipe; repeatable
--ckpt_path	Likewise RUN; `last` and `best` need --config
--episodes	Evaluate at most N episodes (default: 50)
--device	Where the policy runs
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment'
        case 'test'
            printf '%s\n' '--config	Measure the latest run of this recipe; repeatable
-c	Measure the latest run of this recipe; repeatable
--ckpt_path	Likewise RUN; `last` and `best` need --config
--episodes	Evaluate at most N episodes (default: 50)
--device	Where the policy runs
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment'
        case 'predict'
            printf '%s\n' '--config	Measure the latest run of this recipe; repeatable
-c	Measure the latest run of this recipe; repeatable
--ckpt_path	Likewise RUN; `last` and `best` need --config
--episodes	Evaluate at most N episodes (default: 50)
--device	Where the policy runs
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.
--data.	the dataset
--env.	fields of the simulated environment'
        case 'runs'
            printf '%s\n' '--format	Output format
--html	Also write the comparison as a page with curves
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'push'
            printf '%s\n' '--private	Who may see a new repository
--public	Who may see a new repository
--dry-run	Check everything, upload nothing
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'merge-adapter'
            printf '%s\n' '--output	The merged policy\'s folder; must not exist
-o	The merged policy\'s folder; must not exist
--revision	A tag, branch or commit of a Hub id
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'list-policies'
            printf '%s\n' '--grep	Only parameters matching WORD
--for	Show which can train on this dataset (an id or a folder)
--installed	Only those whose packages are installed
--trainable	Only those that learn from demonstrations
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'frame-stores'
            printf '%s\n' '--delete	Delete them; name datasets, or use --gone or --all
--gone	Only those whose dataset is no longer there
--all	Select all (with --delete)
--path	The folder that a recipe\'s frame_store.path names
--format	Output format
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'schema'
            printf '%s\n' '--policy	Only recipes for this policy
-p	Only recipes for this policy
--help	Show this message and exit.
-h	Show this message and exit.'
        case 'describe-machine'
            printf '%s\n' '--help	Show this message and exit.
-h	Show this message and exit.'
        case 'explain'
            printf '%s\n' '--help	Show this message and exit.
-h	Show this message and exit.'
    end
end

# What the option $argv[2] of the command $argv[1] takes: a kind, or "=" and its words.
function __getiaction_takes
    switch "$argv[1] $argv[2]"
        case ' --shell'
            printf '%s\n' '=bash zsh fish'
        case 'train --policy'
            printf '%s\n' 'policy'
        case 'train -p'
            printf '%s\n' 'policy'
        case 'train --config'
            printf '%s\n' 'recipe'
        case 'train -c'
            printf '%s\n' 'recipe'
        case 'train --output-dir'
            printf '%s\n' 'folder'
        case 'train --ckpt_path'
            printf '%s\n' 'run'
        case 'train --resume'
            printf '%s\n' 'run'
        case 'train --ignore'
            printf '%s\n' 'code'
        case 'train --slurm'
            printf '%s\n' 'text'
        case 'train --array'
            printf '%s\n' 'text'
        case 'train --model'
            printf '%s\n' 'policy'
        case 'train --data'
            printf '%s\n' 'text'
        case 'train --dataset'
            printf '%s\n' 'dataset'
        case 'train --max-steps'
            printf '%s\n' 'text'
        case 'train --steps'
            printf '%s\n' 'text'
        case 'train --max-epochs'
            printf '%s\n' 'text'
        case 'train --epochs'
            printf '%s\n' 'text'
        case 'train --batch-size'
            printf '%s\n' 'text'
        case 'train --num-workers'
            printf '%s\n' 'text'
        case 'train --learning-rate'
            printf '%s\n' 'text'
        case 'train --lr'
            printf '%s\n' 'text'
        case 'train --logger'
            printf '%s\n' 'logger'
        case 'train --fast-dev-run'
            printf '%s\n' 'text'
        case 'train --seed-everything'
            printf '%s\n' 'text'
        case 'train --seed'
            printf '%s\n' 'text'
        case 'train --output_dir'
            printf '%s\n' 'folder'
        case 'fit --config'
            printf '%s\n' 'recipe'
        case 'fit -c'
            printf '%s\n' 'recipe'
        case 'fit --output-dir'
            printf '%s\n' 'folder'
        case 'fit --ckpt_path'
            printf '%s\n' 'run'
        case 'fit --resume'
            printf '%s\n' 'run'
        case 'fit --ignore'
            printf '%s\n' 'code'
        case 'fit --model'
            printf '%s\n' 'policy'
        case 'fit --data'
            printf '%s\n' 'text'
        case 'fit --dataset'
            printf '%s\n' 'dataset'
        case 'fit --max-steps'
            printf '%s\n' 'text'
        case 'fit --steps'
            printf '%s\n' 'text'
        case 'fit --max-epochs'
            printf '%s\n' 'text'
        case 'fit --epochs'
            printf '%s\n' 'text'
        case 'fit --batch-size'
            printf '%s\n' 'text'
        case 'fit --num-workers'
            printf '%s\n' 'text'
        case 'fit --learning-rate'
            printf '%s\n' 'text'
        case 'fit --lr'
            printf '%s\n' 'text'
        case 'fit --logger'
            printf '%s\n' 'logger'
        case 'fit --fast-dev-run'
            printf '%s\n' 'text'
        case 'fit --seed-everything'
            printf '%s\n' 'text'
        case 'fit --seed'
            printf '%s\n' 'text'
        case 'fit --output_dir'
            printf '%s\n' 'folder'
        case 'init --policy'
            printf '%s\n' 'policy'
        case 'init -p'
            printf '%s\n' 'policy'
        case 'init --output'
            printf '%s\n' 'file'
        case 'init -o'
            printf '%s\n' 'file'
        case 'migrate --output'
            printf '%s\n' 'file'
        case 'migrate -o'
            printf '%s\n' 'file'
        case 'migrate --format'
            printf '%s\n' '=text json'
        case 'validate-config --config'
            printf '%s\n' 'recipe'
        case 'validate-config -c'
            printf '%s\n' 'recipe'
        case 'validate-config --format'
            printf '%s\n' '=text json sarif github concise'
        case 'validate-config --select'
            printf '%s\n' 'code'
        case 'validate-config --ignore'
            printf '%s\n' 'code'
        case 'validate-config --gpu'
            printf '%s\n' 'text'
        case 'validate-config --for-machine'
            printf '%s\n' 'file'
        case 'validate-config --model'
            printf '%s\n' 'policy'
        case 'validate-config --data'
            printf '%s\n' 'text'
        case 'validate-config --dataset'
            printf '%s\n' 'dataset'
        case 'validate-config --max-steps'
            printf '%s\n' 'text'
        case 'validate-config --steps'
            printf '%s\n' 'text'
        case 'validate-config --max-epochs'
            printf '%s\n' 'text'
        case 'validate-config --epochs'
            printf '%s\n' 'text'
        case 'validate-config --batch-size'
            printf '%s\n' 'text'
        case 'validate-config --num-workers'
            printf '%s\n' 'text'
        case 'validate-config --learning-rate'
            printf '%s\n' 'text'
        case 'validate-config --lr'
            printf '%s\n' 'text'
        case 'validate-config --logger'
            printf '%s\n' 'logger'
        case 'validate-config --fast-dev-run'
            printf '%s\n' 'text'
        case 'validate-config --seed-everything'
            printf '%s\n' 'text'
        case 'validate-config --seed'
            printf '%s\n' 'text'
        case 'validate-config --output_dir'
            printf '%s\n' 'folder'
        case 'inspect-dataset --revision'
            printf '%s\n' 'text'
        case 'inspect-dataset --format'
            printf '%s\n' '=text json'
        case 'inspect-dataset --html'
            printf '%s\n' 'file'
        case 'inspect-dataset --episode'
            printf '%s\n' 'text'
        case 'inspect-dataset --seed'
            printf '%s\n' 'text'
        case 'evaluate --episodes'
            printf '%s\n' 'text'
        case 'evaluate --env'
            printf '%s\n' 'environment'
        case 'evaluate --seed'
            printf '%s\n' 'text'
        case 'evaluate --batch-size'
            printf '%s\n' 'text'
        case 'evaluate --video'
            printf '%s\n' 'text'
        case 'evaluate --device'
            printf '%s\n' '=auto cpu cuda mps xpu'
        case 'evaluate --revision'
            printf '%s\n' 'text'
        case 'evaluate --format'
            printf '%s\n' '=text json'
        case 'evaluate --html'
            printf '%s\n' 'file'
        case 'evaluate --ignore'
            printf '%s\n' 'code'
        case 'fetch --model'
            printf '%s\n' 'policy'
        case 'fetch --data'
            printf '%s\n' 'text'
        case 'fetch --dataset'
            printf '%s\n' 'dataset'
        case 'fetch --max-steps'
            printf '%s\n' 'text'
        case 'fetch --steps'
            printf '%s\n' 'text'
        case 'fetch --max-epochs'
            printf '%s\n' 'text'
        case 'fetch --epochs'
            printf '%s\n' 'text'
        case 'fetch --batch-size'
            printf '%s\n' 'text'
        case 'fetch --num-workers'
            printf '%s\n' 'text'
        case 'fetch --learning-rate'
            printf '%s\n' 'text'
        case 'fetch --lr'
            printf '%s\n' 'text'
        case 'fetch --logger'
            printf '%s\n' 'logger'
        case 'fetch --fast-dev-run'
            printf '%s\n' 'text'
        case 'fetch --seed-everything'
            printf '%s\n' 'text'
        case 'fetch --seed'
            printf '%s\n' 'text'
        case 'fetch --output_dir'
            printf '%s\n' 'folder'
        case 'validate --config'
            printf '%s\n' 'recipe'
        case 'validate -c'
            printf '%s\n' 'recipe'
        case 'validate --ckpt_path'
            printf '%s\n' 'run'
        case 'validate --episodes'
            printf '%s\n' 'text'
        case 'validate --device'
            printf '%s\n' '=auto cpu cuda mps xpu'
        case 'validate --format'
            printf '%s\n' '=text json'
        case 'test --config'
            printf '%s\n' 'recipe'
        case 'test -c'
            printf '%s\n' 'recipe'
        case 'test --ckpt_path'
            printf '%s\n' 'run'
        case 'test --episodes'
            printf '%s\n' 'text'
        case 'test --device'
            printf '%s\n' '=auto cpu cuda mps xpu'
        case 'test --format'
            printf '%s\n' '=text json'
        case 'predict --config'
            printf '%s\n' 'recipe'
        case 'predict -c'
            printf '%s\n' 'recipe'
        case 'predict --ckpt_path'
            printf '%s\n' 'run'
        case 'predict --episodes'
            printf '%s\n' 'text'
        case 'predict --device'
            printf '%s\n' '=auto cpu cuda mps xpu'
        case 'predict --format'
            printf '%s\n' '=text json'
        case 'runs --format'
            printf '%s\n' '=text json'
        case 'runs --html'
            printf '%s\n' 'file'
        case 'merge-adapter --output'
            printf '%s\n' 'folder'
        case 'merge-adapter -o'
            printf '%s\n' 'folder'
        case 'merge-adapter --revision'
            printf '%s\n' 'text'
        case 'list-policies --grep'
            printf '%s\n' 'text'
        case 'list-policies --for'
            printf '%s\n' 'dataset'
        case 'list-policies --format'
            printf '%s\n' '=text json'
        case 'frame-stores --path'
            printf '%s\n' 'folder'
        case 'frame-stores --format'
            printf '%s\n' '=text json'
        case 'schema --policy'
            printf '%s\n' 'policy'
        case 'schema -p'
            printf '%s\n' 'policy'
    end
end

function __getiaction_arguments
    switch "$argv[1]"
        case 'train'
            printf '%s\n' 'recipe'
        case 'recipes'
            printf '%s\n' 'shipped'
        case 'init'
            printf '%s\n' 'dataset'
        case 'migrate'
            printf '%s\n' 'file'
        case 'validate-config'
            printf '%s\n' 'recipe'
        case 'inspect-dataset'
            printf '%s\n' 'dataset'
        case 'evaluate'
            printf '%s\n' 'run'
        case 'fetch'
            printf '%s\n' 'recipe'
        case 'validate'
            printf '%s\n' 'run'
        case 'test'
            printf '%s\n' 'run'
        case 'predict'
            printf '%s\n' 'run'
        case 'runs'
            printf '%s\n' 'folder'
        case 'push'
            printf '%s\n' 'run'
        case 'merge-adapter'
            printf '%s\n' 'run'
        case 'list-policies'
            printf '%s\n' 'policy'
        case 'frame-stores'
            printf '%s\n' 'dataset'
        case 'explain'
            printf '%s\n' 'code'
    end
end

# The files whose names begin with the word, a line each; folders end in "/".
function __getiaction_files
    set -l home (string replace -r '/$' '' -- ~)
    for file in (string replace -r '^~/' "$home/" -- "$argv[1]")*
        test -d $file; and set file $file/
        string match -q '~/*' -- "$argv[1]"; and set file (string replace -- "$home/" '~/' $file)
        echo $file
    end
end

function __getiaction_recipes
    for file in (__getiaction_files "$argv[1]")
        string match -qr '(/|\.ya?ml)$' -- $file; and echo $file
    end
end

function __getiaction
    set -l words (commandline -opc)
    # As it is meant, not as it is quoted; a quote that is still open stands at its beginning.
    set -l word (commandline -ct)
    set word (string unescape -- "$word"; or string replace -r '^[\'"]' '' -- "$word")
    set -l helper (string replace -r 'getiaction$' getiaction-complete -- $words[1])
    set -l before $words[-1]
    set -l command ''
    for other in $words[2..-1]
        if not string match -q -- '-*' $other
            set command $other
            break
        end
    end

    set -l takes (__getiaction_takes "$command" "$before")
    # "--format=sa" is completed as "--format sa" is.
    set -l given ''
    if string match -qr '^--[^=]*=' -- "$word"
        set -l named (__getiaction_takes "$command" (string replace -r '=.*' '' -- "$word"))
        if test -n "$named"
            set takes $named
            set given (string replace -r '=.*' '=' -- "$word")
            set word (string replace -r '^[^=]*=' '' -- "$word")
        end
    end
    if test -z "$takes"
        if test -z "$command"; and not string match -q -- '-*' "$word"
            printf '%s\n' 'train	Train the policy that a recipe describes
fit	Train, with LightningCLI-compatible syntax: `getiaction fit --config RECIPE` is `getiaction train RECIPE`
recipes	List the recipes that ship with getiaction, or print one
init	Write a recipe that trains a policy on a dataset
migrate	Write another trainer\'s configuration as a recipe that trains the same
validate-config	Check recipes and report every problem, each with its place, its reason and its fix
inspect-dataset	Show what is in a LeRobot dataset, what is broken, and which policies can train on it
evaluate	Measure what a trained policy has learned, on recorded episodes
fetch	Download what recipes need: dataset, pretrained weights, tokenizers, processors and backbones
validate	Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI\'s names
test	Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI\'s names
predict	Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI\'s names
runs	List runs: when, how many steps, the best loss, how they ended
push	Upload a policy with its model card, so that `lerobot-eval --policy.path=USER/NAME` runs it
merge-adapter	Merge the adapters of a trained policy into its weights, and write an ordinary policy in LeRobot\'s format
list-policies	List the policies, what they read, need and download
frame-stores	List the stores of decoded frames, or delete them
schema	Print a JSON Schema of recipes, made from the installed LeRobot and Lightning
describe-machine	Print what this machine has, as JSON: GPUs, memory, packages, cached weights, free disk space
explain	Explain what a rule finds, why it matters, and how to write it instead'
            return
        else if contains -- "$command" train fit validate-config evaluate fetch validate test predict; and begin
                string match -q -- '--*.*' "$word"
                or begin
                    not string match -q -- '-*' "$word"
                    and string match -q -- '--*.*' "$before"
                    and not string match -q -- '*=*' "$before"
                end
            end
            $helper overrides "$word" $words 2>/dev/null
            return
        else if string match -q -- '-*' "$word"
            __getiaction_options "$command"
            return
        end
        set takes (__getiaction_arguments "$command")
    end
    switch "$takes"
        case '=*'
            string split ' ' -- (string sub -s 2 -- $takes)
        case policy
            $helper policies "$word" 2>/dev/null
        case logger
            $helper loggers "$word" 2>/dev/null
        case environment
            $helper environments "$word" 2>/dev/null
        case code
            printf '%s\n' 'GA101	Invalid YAML.
GA102	A duplicate key.
GA103	A file that is not a recipe.
GA104	A YAML tag.
GA105	A number that other YAML readers read as text.
GA106	A word that YAML reads as true or false.
GA107	A list with an ellipsis.
GA108	Python\'s `None` instead of `null`.
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
GA141	A list of episodes that can\'t be one.
GA142	A dataset that cannot be found.
GA143	A policy parameter that changes nothing here.
GA144	A parameter of the policy set in two places.
GA145	A class by its bare name.
GA146	A time limit that can\'t be read.
GA147	A part of Lightning that can\'t be used here.
GA148	A base class of Lightning that can\'t be used itself.
GA156	A base recipe that cannot be used.
GA157	A class that replaces the one of an earlier file, whose arguments are dropped.
GA163	A policy that can\'t be uploaded under its name.
GA164	A policy that this machine can\'t upload.
GA201	More actions executed than predicted.
GA202	A horizon that is not a multiple of the U-Net\'s factor.
GA203	Temporal ensembling with more than one action per call.
GA204	More observation steps than the policy can read.
GA205	A value that LeRobot does not accept for this parameter.
GA206	Parameters that LeRobot refuses.
GA207	A parameter that LeRobot silently replaces.
GA208	A group of settings that LeRobot refuses.
GA211	More actions executed than predicted ahead.
GA212	A width that can\'t be divided evenly.
GA213	Pretrained weights of another backbone.
GA214	Group normalization over pretrained weights.
GA215	A number that the network can\'t be built or used with.
GA221	A run that ends in VQ-BeT\'s first phase.
GA222	A sequence that does not fit into VQ-BeT\'s GPT.
GA223	More elites than samples.
GA224	More denoising steps than the policy was trained with.
GA225	Frames dropped for another horizon.
GA231	A setting that can\'t be trained with.
GA232	An X-VLA without a backbone.
GA233	A random backbone that is never trained.
GA234	A large model trained from random weights.
GA235	A policy that can\'t learn from demonstrations.
GA236	`use_peft` without adapters to train.
GA237	Renamed features without weights that need it.
GA241	A learning rate that is out of range.
GA242	A state whose normalization does not fit the prompt.
GA243	The trainer\'s precision contradicts the policy\'s `dtype`.
GA244	Actions are learned in one unit and returned in another.
GA245	A policy without an inference mode.
GA246	A kind of feature that the recipe\'s normalization leaves out.
GA247	A policy of LeRobot that this version of getiaction does not know.
GA248	A mapping that lacks a key which the policy reads.
GA249	A width that the base model does not have.
GA250	A checkpoint whose processors name code that is not LeRobot\'s.
GA251	A pretrained policy that lacks files, or that another LeRobot wrote.
GA255	Averaged weights with settings that defeat them.
GA256	Adapters that can\'t be trained.
GA257	Adapters for layers that the pretrained policy does not have.
GA260	Two parts of a network that must agree, and don\'t.
GA301	Action time steps that the policy was not built for.
GA302	Observation time steps that the policy was not built for.
GA303	Time steps that lie between two frames.
GA304	Time steps for a feature that is missing or not read.
GA305	Camera names of the policy that the dataset doesn\'t have.
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
GA319	An input that shifts VQ-BeT\'s tokens.
GA320	More joints than the policy has room for.
GA321	Policy parameters that contradict the robot\'s dimensions.
GA322	Statistics that normalization needs are missing.
GA323	A picture whose size the policy\'s vision encoder does not take.
GA324	Episodes that the dataset does not have.
GA325	Episodes that are too short to give a sample.
GA326	Targets that are mostly padding.
GA327	A batch larger than the dataset.
GA328	A validation split that can\'t be made.
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
GA340	Pretrained weights that are missing or can\'t be read.
GA341	Weights of another policy.
GA342	Cameras that the pretrained policy does not have.
GA343	State or action sizes that differ from the pretrained policy\'s.
GA344	Parameters that contradict the pretrained weights.
GA345	A key of `rename_map` that the dataset does not have.
GA346	An environment without an input of the policy.
GA347	An environment whose state or action has another size.
GA348	An environment whose pictures have another size.
GA349	An environment with another frame rate.
GA350	A metric of rollouts that is minimised.
GA351	Fields that the environment refuses.
GA352	Rollouts under another trainer\'s keys.
GA353	A feature that the policy is given and its network does not read.
GA354	Booleans or integers where the policy computes with floats.
GA355	A random transform that changes the size of the training pictures.
GA356	Relative actions with statistics of absolute actions.
GA357	Timestamps in the tables at which the videos have no picture.
GA358	Excluded episodes that leave nothing, or that were not in use.
GA359	Datasets that can\'t be trained on together.
GA360	Datasets of a mixture whose steps differ in length.
GA370	A camera whose name no policy sees.
GA371	More batches to accumulate than an epoch has.
GA372	Image transforms that change nothing.
GA401	A file of meta/ is missing.
GA402	A file of meta/ can\'t be read.
GA403	info.json holds a value that LeRobot can\'t use.
GA404	The dataset is in a format that LeRobot no longer reads.
GA405	The dataset is in a format that this LeRobot does not support.
GA406	The dataset on the Hub has no version tag.
GA407	LeRobot will not use this copy of the dataset.
GA410	The dataset has no episodes.
GA411	info.json and the episodes disagree on how many episodes there are.
GA412	info.json and the episodes disagree on how many frames there are.
GA413	The episodes\' bounds don\'t fit together.
GA414	The number of frames in the tables disagrees with the episode metadata.
GA415	A split names episodes that don\'t exist.
GA416	Frame indices in the tables disagree with the episode metadata.
GA421	A table that the episodes need is missing.
GA422	A table can\'t be read.
GA423	A video that the episodes need is missing.
GA424	A video can\'t be read.
GA425	A path template of info.json leads out of the dataset, or nowhere.
GA426	The dataset is not portable: broken links or files that can\'t be opened.
GA427	The tables don\'t hold what info.json declares.
GA431	The dataset has no statistics.
GA432	A feature has no statistics.
GA433	The statistics hold NaN or infinity.
GA434	The shape of the statistics differs from the feature\'s.
GA435	The statistics contradict themselves.
GA436	A joint never moves in the whole dataset.
GA437	The statistics of a camera are not for pictures between 0 and 1.
GA438	The statistics do not match the episodes.
GA441	The dataset\'s fps is not its videos\' fps.
GA442	An episode\'s stretch of video is not as long as the episode.
GA443	A video ends before its last episode does.
GA444	The size of the videos differs from info.json.
GA451	The dataset has no task.
GA452	The tasks are not in the order of their numbers.
GA453	A task has no text.
GA454	Tasks that are counted or named, but missing.
GA461	A feature\'s name has a slash.
GA462	The features have the names of another framework.
GA463	A camera\'s shape can\'t be understood.
GA466	The number of a feature\'s names differs from its dimensions.
GA467	A feature that LeRobot itself needs is not declared.
GA468	A feature has a dtype that LeRobot does not support.
GA471	Recorded values that are NaN or infinite.
GA472	A joint jumps from one frame to the next.
GA473	A joint does not move where it should.
GA474	A joint\'s recorded values are clipped at a limit.
GA475	The timestamps do not match the frame rate.
GA476	The rows of the tables are not where the metadata says.
GA477	The statistics do not match the data.
GA478	The quantiles do not match the data.
GA479	An episode occurs twice.
GA480	The action lags behind the state.
GA481	Pictures can\'t be decoded, or are not where LeRobot looks for them.
GA482	A camera\'s pictures are black or one colour.
GA483	A camera is frozen: its picture never changes.
GA484	A table opens, but its rows can\'t be read.
GA485	A standard deviation that contradicts `min` and `max`.
GA501	An accelerator that this machine does not have.
GA502	More devices than there are, or another number of processes than were started.
GA503	A precision that can\'t be used here.
GA504	A large policy on a CPU.
GA505	A policy whose packages are not installed.
GA506	A video decoder that can\'t be loaded.
GA507	Weights that would have to be downloaded, offline.
GA508	Weights that need a licence to be accepted.
GA509	A run folder that is taken, or that can\'t be made.
GA510	A disk that is too small for the checkpoints.
GA511	A logger that can\'t log.
GA512	A frame store that can\'t hold the dataset.
GA513	Too little shared memory for the workers.
GA514	An environment variable that stops LeRobot.
GA515	VQ-BeT on Apple\'s GPU.
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
GA604	The policy does not use the robot\'s state.
GA605	The policy has not learned one of the joints.
GA606	The policy is good on the episodes it was trained on and poor on others.
GA607	The policy predicts actions that were never recorded.
GA608	The policy\'s actions are cut off at a limit.
GA609	The actions jump where one chunk ends and the next begins.
GA610	A prediction takes longer than its actions last.
GA611	Only episodes that the policy was trained on were evaluated.'
        case dataset
            $helper datasets "$word" 2>/dev/null
            __fish_complete_directories "$word" ''
        case run
            $helper runs "$word" 2>/dev/null
            __getiaction_files "$word"
        case shipped
            $helper recipes "$word" 2>/dev/null
        case recipe
            $helper recipes "$word" 2>/dev/null
            __getiaction_recipes "$word"
        case folder
            __fish_complete_directories "$word" ''
        case file
            __getiaction_files "$word"
    end | string replace -r '^' -- "$given"
end

complete -c getiaction -f -a '(__getiaction)'
