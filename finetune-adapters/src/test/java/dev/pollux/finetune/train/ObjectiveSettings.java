package dev.pollux.finetune.train;

import dev.pollux.inference.internal.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Options of TRL as ours. */
final class ObjectiveSettings {

    private ObjectiveSettings() {}

    private static String name(JsonNode value) {
        return value.asString("").toUpperCase(Locale.ROOT);
    }

    static DpoOptions dpo(JsonNode o) {
        List<DpoOptions.Loss> losses = new ArrayList<>();
        o.path("loss_type").forEach(loss -> losses.add(DpoOptions.Loss.valueOf(name(loss))));
        List<Double> weights = new ArrayList<>();
        o.path("loss_weights").forEach(weight -> weights.add(weight.asDouble(1)));
        DpoOptions.Builder builder = DpoOptions.builder()
                .beta(o.path("beta").asDouble(0.1))
                .losses(losses)
                .weights(weights)
                .labelSmoothing(o.path("label_smoothing").asDouble(0))
                .tailWeight(o.path("ld_alpha").asDouble(1))
                .divergenceAlpha(o.path("f_alpha_divergence_coef").asDouble(0.5))
                .isWeighted(o.path("use_weighting").asBoolean(false))
                .discopopTau(o.path("discopop_tau").asDouble(0.05));
        if (o.has("f_divergence_type")) {
            builder.divergence(Divergence.valueOf(name(o.path("f_divergence_type"))));
        }
        return builder.build();
    }

    static KtoOptions kto(JsonNode o) {
        return KtoOptions.builder()
                .beta(o.path("beta").asDouble(0.1))
                .desirableWeight(o.path("desirable_weight").asDouble(1))
                .undesirableWeight(o.path("undesirable_weight").asDouble(1))
                .loss(
                        o.path("loss_type").asString("kto").equals("kto")
                                ? KtoOptions.Loss.KTO
                                : KtoOptions.Loss.APO_ZERO_UNPAIRED)
                .build();
    }

    static CpoOptions cpo(JsonNode o) {
        return CpoOptions.builder()
                .beta(o.path("beta").asDouble(0.1))
                .loss(CpoOptions.Loss.valueOf(name(o.path("loss_type"))))
                .labelSmoothing(o.path("label_smoothing").asDouble(0))
                .likelihoodWeight(o.path("cpo_alpha").asDouble(1))
                .gamma(o.path("simpo_gamma").asDouble(0.5))
                .alpha(o.path("alpha").asDouble(0))
                .build();
    }
}
