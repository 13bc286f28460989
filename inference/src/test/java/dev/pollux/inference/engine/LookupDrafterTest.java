package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LookupDrafterTest {

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    private static LookupDrafter after(int... text) {
        LookupDrafter drafter = new LookupDrafter(false);
        for (int token : text) {
            drafter.add(token);
        }
        return drafter;
    }

    @Test
    void theDraftIsWhatFollowedTheLongestSequenceThatEndsTheText() {
        assertThat(after(1, 2, 3, 9, 8, 7, 6, 5, 2, 3, 4, 4, 1, 2, 3).draft(3)).containsExactly(9, 8, 7);
    }

    @Test
    void ofEquallyLongSequencesTheLatestCounts() {
        assertThat(after(1, 2, 5, 5, 1, 2, 6, 6, 1, 2).draft(1)).containsExactly(6);
    }

    @Test
    void aDraftThatReachesTheEndOfTheTextRepeats() {
        assertThat(after(1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3).draft(5)).containsExactly(1, 2, 3, 1, 2);
        assertThat(after(4, 4, 4, 4, 4, 4, 4, 4, 4, 4).draft(4)).containsExactly(4, 4, 4, 4);
    }

    @Test
    void nothingIsDraftedAfterANewTokenOrWithoutRoom() {
        assertThat(after(1, 2, 3, 4).draft(7)).isEmpty();
        assertThat(after().draft(7)).isEmpty();
        assertThat(after(1, 2, 1).draft(0)).isEmpty();
    }

    @Test
    void theIndexEqualsASearchOfTheWholeText() {
        for (int round = 0; round < 300; round++) {
            int[] text = random.ints(1 + random.nextInt(40), 0, 1 + random.nextInt(9))
                    .toArray();
            DraftIndex index = new DraftIndex();
            Arrays.stream(text).forEach(index::add);
            int longest = 0;
            int match = -1;
            int tries = 0;
            for (int at = text.length - 2; at >= 0 && tries < 16; at--) {
                if (text[at] == text[text.length - 1]) {
                    tries++;
                    int same = 0;
                    while (same <= at && same < 32 && text[at - same] == text[text.length - 1 - same]) {
                        same++;
                    }
                    match = same > longest ? at : match;
                    longest = Math.max(longest, same);
                }
            }
            assertThat(index.find())
                    .as("seed %d, %s", seed, Arrays.toString(text))
                    .isEqualTo(longest);
            if (longest > 0) {
                assertThat(index.following(1))
                        .as("seed %d, %s", seed, Arrays.toString(text))
                        .containsExactly(text[match + 1]);
            }
        }
    }

    @Test
    void draftingEndsWhereItIsNeverRightAndGoesOnWhereItAlwaysIs() {
        LookupDrafter wrong = after(1, 2, 1);
        LookupDrafter right = after(1, 2, 1);
        int drafts = 0;
        for (int i = 0; i < 50; i++) {
            int size = wrong.draft(LookupDrafter.LONGEST).length;
            drafts += size > 0 ? 1 : 0;
            if (size > 0) {
                wrong.verified(0, size);
            }
            int certain = right.draft(LookupDrafter.LONGEST).length;
            assertThat(certain).isPositive();
            right.verified(certain, certain);
        }
        assertThat(drafts).isBetween(1, 15);
        assertThat(right.draft(LookupDrafter.LONGEST)).hasSize(LookupDrafter.LONGEST);
    }

    @Test
    void aLongMatchIsTrustedMoreThanAShortOne() {
        int[] twice = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9};
        assertThat(after(twice).draft(LookupDrafter.LONGEST))
                .hasSizeGreaterThan(after(1, 2, 3, 4, 5, 6, 7, 8, 9, 1).draft(LookupDrafter.LONGEST).length);
    }
}
