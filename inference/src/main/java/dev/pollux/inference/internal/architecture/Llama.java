package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;

/** Llama (Touvron et al., arXiv:2302.13971). */
final class Llama extends Transformer {

    Llama(Blocks b) {
        super(b);
    }
}
