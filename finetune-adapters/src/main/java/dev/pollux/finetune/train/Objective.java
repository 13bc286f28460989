package dev.pollux.finetune.train;

import java.util.OptionalDouble;

/**
 * What training minimizes. The names, defaults and formulas are those of TRL 1.13. <em>Immutable.</em>
 */
public abstract sealed class Objective
        permits SftObjective,
                DpoObjective,
                KtoObjective,
                OrpoObjective,
                CpoObjective,
                BcoObjective,
                RewardObjective,
                DistillationObjective,
                GrpoObjective {

    /** The rows that an objective needs. */
    public enum Rows {
        /** Texts, or prompts with completions. */
        SEQUENCES,
        /** Prompts with a chosen and a rejected completion. */
        PAIRS,
        /** Prompts with a completion that is desirable or not. */
        UNPAIRED,
        /** Prompts, for which the model in training writes completions. */
        PROMPTS
    }

    Objective() {}

    /** Supervised fine-tuning: the mean of −log p over the trained tokens of a step. */
    public static Objective sft() {
        return new SftObjective(false);
    }

    /** Dynamic fine-tuning (Wu et al., arXiv:2508.05629): −p log p, with p constant. */
    public static Objective dft() {
        return new SftObjective(true);
    }

    /** Direct preference optimization (Rafailov et al., arXiv:2305.18290) with TRL's defaults. */
    public static Objective dpo() {
        return dpo(DpoOptions.DEFAULTS);
    }

    /** Direct preference optimization and its relatives. */
    public static Objective dpo(DpoOptions options) {
        return new DpoObjective(options);
    }

    /** Kahneman-Tversky optimization (Ethayarajh et al., arXiv:2402.01306) with TRL's defaults. */
    public static Objective kto() {
        return kto(KtoOptions.DEFAULTS);
    }

    /** Kahneman-Tversky optimization. */
    public static Objective kto(KtoOptions options) {
        return new KtoObjective(options);
    }

    /** Odds ratio preference optimization (Hong et al., arXiv:2403.07691) with β = 0.1. */
    public static Objective orpo() {
        return orpo(0.1);
    }

    /**
     * Odds ratio preference optimization.
     *
     * @param beta the factor of the odds ratio's term, above 0
     */
    public static Objective orpo(double beta) {
        return new OrpoObjective(beta);
    }

    /** Contrastive preference optimization (Xu et al., arXiv:2401.08417) with TRL's defaults. */
    public static Objective cpo() {
        return cpo(CpoOptions.DEFAULTS);
    }

    /** Contrastive preference optimization and its relatives. */
    public static Objective cpo(CpoOptions options) {
        return new CpoObjective(options);
    }

    /** SimPO (Meng et al., arXiv:2405.14734) with β = 2, γ = 0.5 and no term of likelihood. */
    public static Objective simpo() {
        return cpo(CpoOptions.builder()
                .loss(CpoOptions.Loss.SIMPO)
                .beta(2)
                .likelihoodWeight(0)
                .build());
    }

    /** Binary classifier optimization (Jung et al., arXiv:2404.04656) with β = 0.1. */
    public static Objective bco() {
        return bco(0.1);
    }

    /**
     * Binary classifier optimization.
     *
     * @param beta the factor of rewards, above 0
     */
    public static Objective bco(double beta) {
        return new BcoObjective(beta);
    }

    /** A reward model (Ouyang et al., arXiv:2203.02155): −log σ(r of the chosen − r of the rejected − margin). */
    public static Objective reward() {
        return reward(0);
    }

    /**
     * A reward model: a score of texts, by a new head on the state of the last token, that is larger for chosen than for rejected
     * ones. Rows may have a {@code margin}. TRL's rate is 1e-4. The adapter is for {@link RewardModel}, and for PEFT's models of
     * sequence classification with one label.
     *
     * @param centering the factor of the mean of (r of the chosen + r of the rejected)², which keeps rewards around 0 (Eisenstein et
     *     al., arXiv:2312.09244), at least 0; TRL recommends 0.01
     */
    public static Objective reward(double centering) {
        return new RewardObjective(centering);
    }

    /** Distillation from a teacher with the defaults of TRL's GKD; see {@link LoraTrainer#taughtBy}. */
    public static Objective distillation() {
        return distillation(DistillationOptions.DEFAULTS);
    }

    /**
     * Distillation: the mean over the trained tokens of the divergence of the predicted distributions from those of a teacher
     * (generalized Jensen-Shannon divergence, Agarwal et al., arXiv:2306.13649, on given texts), mixed with supervised
     * fine-tuning.
     */
    public static Objective distillation(DistillationOptions options) {
        return new DistillationObjective(options);
    }

    /** Group relative policy optimization with TRL's defaults. */
    public static Objective grpo(RewardFunction rewards) {
        return grpo(rewards, GrpoOptions.DEFAULTS);
    }

    /**
     * Group relative policy optimization and its relatives: the model writes completions of each prompt, and those with a larger
     * reward become more likely. A step is taken once for the completions of its prompts.
     */
    public static Objective grpo(RewardFunction rewards, GrpoOptions options) {
        return new GrpoObjective(rewards, options);
    }

    /** The rows that it needs. */
    public abstract Rows rows();

    /** Its name, such as {@code dpo}. */
    public abstract String name();

    /** Whether it compares with log-probabilities of a reference model. */
    abstract boolean needsReference();

    /** Whether it compares with the predictions of a teacher. */
    boolean needsTeacher() {
        return false;
    }

    /** Whether it compares with completions of other prompts. */
    boolean needsMismatched() {
        return false;
    }

    /** Whether the tokens of a prompt are scored, of a chosen sequence. */
    boolean scoresPrompt() {
        return false;
    }

    /** Whether it depends on one score of each sequence, in place of log-probabilities of its tokens. */
    boolean scoresTexts() {
        return false;
    }

    /** The measure of the share of pairs in order. */
    String accuracy() {
        return "rewards/accuracies";
    }

    /**
     * dL/dlog p of each token of a completion, if it is one number that is known before the model runs.
     *
     * @param tokens as for {@link #loss}
     */
    OptionalDouble gradient(double tokens) {
        return OptionalDouble.empty();
    }

    /** Whether losses of micro-batches are sums over tokens, over the number of tokens of the step; else they are averaged. */
    boolean isPerToken() {
        return false;
    }

    /**
     * The loss of a micro-batch.
     *
     * @param tokens the number of trained tokens that the loss is divided by if it is per token
     * @param running what the objective remembers from batch to batch
     */
    abstract BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running);

    static double positive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be above 0 and finite but was " + value);
        }
        return value;
    }
}
