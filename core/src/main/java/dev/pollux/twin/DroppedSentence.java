package dev.pollux.twin;

/**
 * A sentence of the model that the documents do not support. <em>Immutable.</em>
 *
 * @param text the model's sentence without citation marks
 * @param reason why the sentence was dropped, as a sentence for people
 */
public record DroppedSentence(String text, String reason) {}
