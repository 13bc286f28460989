/** A LoRA adapter of SmolLM2-135M-Instruct that answers from a passage, found by the name {@code smollm2-135m-instruct-reading}. */
module dev.pollux.model.smollm2_135m_instruct_reading {}
