package dev.pollux.internal.text;

import java.util.Set;

/** Compares texts by the words that they share. */
public final class WordSets {

    private WordSets() {}

    /** The Jaccard index |a ∩ b| / |a ∪ b| in [0, 1]; 1 of two empty sets. */
    public static double jaccard(Set<String> a, Set<String> b) {
        boolean ordered = a.size() <= b.size();
        Set<String> few = ordered ? a : b;
        Set<String> many = ordered ? b : a;
        int both = 0;
        for (String word : few) {
            both += many.contains(word) ? 1 : 0;
        }
        int all = a.size() + b.size() - both;
        return all == 0 ? 1 : (double) both / all;
    }
}
