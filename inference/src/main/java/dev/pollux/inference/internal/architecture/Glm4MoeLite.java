package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;
import java.util.List;

/** GLM-4.7 Flash (Z.ai): DeepSeek V3 with dense layers listed. */
final class Glm4MoeLite extends DeepseekV3 {

    Glm4MoeLite(Blocks b) {
        super(b);
    }

    @Override
    boolean isDense(int layer) {
        List<String> types = settings.texts("mlp_layer_types");
        return layer < types.size() ? types.get(layer).equals("dense") : layer == 0;
    }
}
