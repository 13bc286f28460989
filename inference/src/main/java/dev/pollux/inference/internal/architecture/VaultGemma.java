package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;

/** VaultGemma (Google, arXiv:2510.15001): Gemma 2 without the norms after attention and MLP. */
final class VaultGemma extends Gemma2 {

    VaultGemma(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "pre_feedforward_layernorm.weight")));
    }
}
