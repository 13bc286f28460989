package dev.pollux.inference.decoder;

/** Llama (Touvron et al., arXiv:2302.13971). */
final class Llama extends Transformer {

    Llama(Blocks b) {
        super(b);
    }
}
