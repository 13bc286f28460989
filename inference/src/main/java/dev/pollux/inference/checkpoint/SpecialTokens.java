package dev.pollux.inference.checkpoint;

/**
 * The tokens that chat templates know as {@code bos_token} and {@code eos_token}. <em>Immutable.</em>
 *
 * @param bos the token before a text; empty if there is none
 * @param eos the token after a text; empty if there is none
 */
public record SpecialTokens(String bos, String eos) {}
