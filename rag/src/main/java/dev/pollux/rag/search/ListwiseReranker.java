package dev.pollux.rag.search;

import dev.pollux.generation.Generator;
import dev.pollux.retrieval.Reranker;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A reranker that lets a model order texts (RankGPT: Sun et al., arXiv 2304.09542). The model sees the question and the texts under
 * numbers, and writes numbers. Scores are in (0, 1] and fall with the rank; texts that the model does not name follow the others in
 * their order.
 *
 * <p><em>Thread-safe.</em>
 */
public final class ListwiseReranker implements Reranker {

    private static final Pattern NUMBER = Pattern.compile("\\d{1,4}");
    private static final int TOKENS_PER_NUMBER = 4;
    private static final String INSTRUCTION =
            "Order the numbered passages by how well they answer the question, the best first. Write"
                    + " their numbers with > between them, such as 2 > 3 > 1, and nothing else.";

    private final Generator generator;
    private final int characters;

    private ListwiseReranker(Generator generator, int characters) {
        this.generator = generator;
        this.characters = characters;
    }

    /** A reranker with a model, which reads the first 600 characters of each text. The caller closes the model. */
    public static ListwiseReranker of(Generator generator) {
        return of(generator, 600);
    }

    /**
     * A reranker with a model that reads a part of each text.
     *
     * @param characters how much of each text the model reads, in [1, 100000]
     */
    public static ListwiseReranker of(Generator generator, int characters) {
        if (characters < 1 || characters > 100_000) {
            throw new IllegalArgumentException("characters must be in [1, 100000] but was " + characters);
        }
        return new ListwiseReranker(generator, characters);
    }

    @Override
    public float[] score(String query, List<String> texts) { // (texts)
        if (texts.isEmpty()) {
            return new float[0];
        }
        StringBuilder input = new StringBuilder("Question: ").append(query).append('\n');
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i).strip().replaceAll("\\s+", " ");
            input.append("[").append(i + 1).append("] ");
            input.append(text, 0, Math.min(text.length(), characters)).append('\n');
        }
        String answer = Written.by(generator, texts.size() * TOKENS_PER_NUMBER + 8, INSTRUCTION, input.toString());
        Set<Integer> order = new LinkedHashSet<>();
        Matcher numbers = NUMBER.matcher(answer);
        while (numbers.find()) {
            int number = Integer.parseInt(numbers.group());
            if (number >= 1 && number <= texts.size()) {
                order.add(number - 1);
            }
        }
        for (int i = 0; i < texts.size(); i++) {
            order.add(i);
        }
        float[] scores = new float[texts.size()];
        int rank = 0;
        for (int index : order) {
            scores[index] = 1f - (float) rank++ / texts.size();
        }
        return scores;
    }
}
