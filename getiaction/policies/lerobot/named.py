"""One class per policy that LeRobot trains from demonstrations: `Diffusion(horizon=32)`, or as a recipe's class_path.

The name is that of LeRobot's configuration class without "Config", and every field of that class is a keyword.
"""

from getiaction.policies.lerobot.policy import LeRobotPolicy


class Diffusion(LeRobotPolicy):
    """Diffusion Policy: denoises a short sequence of actions."""

    policy_name = "diffusion"


class VQBeT(LeRobotPolicy):
    """VQ-BeT: quantizes actions first, then predicts their codes with a transformer."""

    policy_name = "vqbet"


class TDMPC(LeRobotPolicy):
    """TD-MPC: plans in a learned latent model; needs rewards in the dataset."""

    policy_name = "tdmpc"


class MultiTaskDiT(LeRobotPolicy):
    """A diffusion transformer conditioned on language and images."""

    policy_name = "multi_task_dit"


class SmolVLA(LeRobotPolicy):
    """SmolVLA: a small vision-language model with an action expert."""

    policy_name = "smolvla"


class PI0(LeRobotPolicy):
    """π0: PaliGemma with a flow-matching action expert."""

    policy_name = "pi0"


class PI05(LeRobotPolicy):
    """π0.5: π0 that reads the state in its prompt."""

    policy_name = "pi05"


class PI0Fast(LeRobotPolicy):
    """π0-FAST: predicts actions as tokens."""

    policy_name = "pi0_fast"


class Groot(LeRobotPolicy):
    """GR00T N1.7: NVIDIA's vision-language-action model."""

    policy_name = "groot"


class XVLA(LeRobotPolicy):
    """X-VLA: Florence-2 with soft prompts per embodiment."""

    policy_name = "xvla"


class EO1(LeRobotPolicy):
    """EO-1: Qwen2.5-VL with a flow-matching action head."""

    policy_name = "eo1"


class Evo1(LeRobotPolicy):
    """Evo-1: InternVL with a flow-matching action head."""

    policy_name = "evo1"


class WallX(LeRobotPolicy):
    """WALL-X: Qwen2.5-VL with a mixture of experts for actions."""

    policy_name = "wall_x"


class FastWAM(LeRobotPolicy):
    """FastWAM: a world-action model on the Wan video model."""

    policy_name = "fastwam"


class MolmoAct2(LeRobotPolicy):
    """MolmoAct2: Molmo that reasons in space before it acts."""

    policy_name = "molmoact2"


class VLAJEPA(LeRobotPolicy):
    """VLA-JEPA: Qwen3-VL with a latent world model."""

    policy_name = "vla_jepa"


class LingBotVA(LeRobotPolicy):
    """LingBot-VA: a video-action model on Wan."""

    policy_name = "lingbot_va"
