package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.internal.layer.Blocks;

/** Youtu-LLM (Tencent, arXiv:2512.24618): attention of DeepSeek V3, dense. */
final class Youtu extends DeepseekV3 {

    Youtu(Blocks b) {
        super(b);
    }

    @Override
    boolean isDense(int layer) {
        return true;
    }
}
