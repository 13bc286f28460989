/** The weights of SmolLM2-135M-Instruct, found by the name {@code smollm2-135m-instruct}. */
module dev.pollux.model.smollm2_135m_instruct {}
