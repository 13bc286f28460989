package dev.pollux.twin;

/**
 * A sentence that the model wrote and the documents do not support. <em>Immutable.</em>
 *
 * @param text as the model wrote it, without citation marks
 * @param reason why it is not in the answer, as a sentence for people
 */
public record DroppedSentence(String text, String reason) {}
