package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NotFiniteTest {

    private static final float INFINITY = Float.POSITIVE_INFINITY;

    /** Records facts. */
    private static final class Facts implements TensorSink {
        private final Map<String, String> all = new LinkedHashMap<>();

        @Override
        public void put(float[] values, int count) {
            throw new AssertionError("elements are not expected");
        }

        @Override
        public void fact(String name, String value) {
            all.put(name, value);
        }
    }

    private static Map<String, String> facts(NotFinite counter) {
        Facts facts = new Facts();
        counter.addTo(facts);
        return facts.all;
    }

    private static NotFinite counted(DType type, float... values) {
        NotFinite counter = NotFinite.of(type);
        counter.take(values, 0, values.length);
        return counter;
    }

    @Test
    void anOverflowBeginsHalfAStepAboveTheLargestNumberOfTheType() {
        float halfStep = 65520; // between 65504 and 65536
        float largest = Float.intBitsToFloat(0x7f7f7fff); // rounds down to the largest bfloat16
        assertThat(facts(counted(DType.F16, Math.nextDown(halfStep), -Math.nextDown(halfStep), 0)))
                .isEmpty();
        assertThat(facts(counted(DType.F16, halfStep, 1, -halfStep, Float.MAX_VALUE)))
                .isEqualTo(Map.of("overflows", "3"));
        assertThat(facts(counted(DType.BF16, largest, -largest))).isEmpty();
        assertThat(facts(counted(DType.BF16, Math.nextUp(largest), -Float.MAX_VALUE)))
                .isEqualTo(Map.of("overflows", "2"));
        assertThat(facts(counted(DType.F32, Float.MAX_VALUE, -Float.MAX_VALUE))).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "F32"})
    void infinitiesAndNaNsAreCountedApartFromOverflows(DType type) {
        NotFinite counter = counted(type, INFINITY, 1, -INFINITY, Float.NaN, Float.intBitsToFloat(0xffc00001), -1);
        assertThat(facts(counter)).isEqualTo(Map.of("notFinite", "4"));
        assertThat(counter.isAny()).isTrue();
    }

    @Test
    void countsOfSeveralCallsAreAdded() {
        NotFinite counter = NotFinite.of(DType.F16);
        assertThat(counter.isAny()).isFalse();
        counter.take(new float[] {1e6f, INFINITY}, 0, 2);
        counter.take(new float[] {1, 2}, 0, 2);
        counter.take(new float[] {Float.NaN, -1e6f, 1e6f}, 0, 3);
        assertThat(facts(counter)).isEqualTo(Map.of("overflows", "3", "notFinite", "2"));
        assertThat(counted(DType.F16, 1e6f).isAny()).isTrue();
    }

    @Test
    void onlyTheGivenRangeIsLookedAt() {
        float[] values = {INFINITY, 1, 2, INFINITY};
        NotFinite counter = NotFinite.of(DType.F32);
        counter.take(values, 1, 2);
        assertThat(counter.isAny()).isFalse();
        counter.take(values, 0, 2);
        counter.take(values, 2, 2);
        assertThat(facts(counter)).isEqualTo(Map.of("notFinite", "2"));
        assertThat(NotFinite.isIn(values, 1, 2)).isFalse();
        assertThat(NotFinite.isIn(values, 0, 1)).isTrue();
        assertThat(NotFinite.isIn(values, 2, 2)).isTrue();
        assertThat(NotFinite.isIn(new float[] {Float.MAX_VALUE, Float.NaN}, 0, 2))
                .isTrue();
        assertThat(NotFinite.isIn(new float[] {Float.MAX_VALUE, -0f}, 0, 2)).isFalse();
    }

    @Test
    void theInputsOfATensorAreCountedTo() {
        float[] values = new float[2 * 16_384 + 5]; // read in pieces of 16,384
        for (int at : new int[] {0, 16_383, 16_384, 32_767, 32_768, values.length - 1}) {
            values[at] = Float.NaN;
        }
        HeldTensor damaged = new HeldTensor(List.of((long) values.length), values, "");
        HeldTensor whole = new HeldTensor(List.of(2L), new float[] {1, Float.MAX_VALUE}, "");
        Facts facts = new Facts();
        counted(DType.BF16, INFINITY).addTo(facts, List.of("one", "two"), List.of(whole, damaged), () -> false);
        assertThat(facts.all).isEqualTo(Map.of("notFinite", "1", "notFinite of two", "6"));
    }

    @Test
    void countingEndsAfterThePieceDuringWhichItIsStopped() {
        float[] values = new float[3 * 16_384];
        values[1] = INFINITY;
        values[20_000] = INFINITY;
        values[40_000] = INFINITY;
        HeldTensor source = new HeldTensor(List.of(3L, 16_384L), values, "");
        AtomicInteger asked = new AtomicInteger();
        Facts facts = new Facts();
        NotFinite.of(DType.F32).addTo(facts, List.of("one"), List.of(source), () -> asked.incrementAndGet() > 2);
        assertThat(facts.all).isEqualTo(Map.of("notFinite of one", "2"));
    }

    @Test
    void theNoticesNameInputsThenTheResultThenOverflowsByType() {
        Map<String, DType> types = new LinkedHashMap<>();
        types.put("a", DType.BF16);
        types.put("b", DType.F16);
        types.put("c", DType.F16);
        types.put("d", DType.F32);
        types.put("e", DType.F16);
        Map<String, Map<String, String>> facts = Map.of(
                "a", Map.of("overflows", "7", "branch", "lerp"),
                "b", Map.of("overflows", "1", "notFinite", "2", "notFinite of tuned", "3"),
                "c", Map.of("overflows", "10", "notFinite of tuned", "30", "notFinite of base", "4"),
                "d", Map.of("notFinite", "5"),
                "e", Map.of("overflows", "100"),
                "other", Map.of("notFinite", "9"));
        assertThat(NotFinite.notices("merged model", types, facts))
                .containsExactly(
                        "model base holds 4 values that are not finite (NaN or infinite), in c; download it again",
                        "model tuned holds 33 values that are not finite (NaN or infinite), in b (and 1 more); download it"
                                + " again",
                        "the merged model holds 7 values that are not finite (NaN or infinite), in b (and 1 more); it will"
                                + " not compute",
                        "7 values of the merged model are too large for bfloat16 and became infinite, in a; write float32",
                        "111 values of the merged model are too large for float16, which ends at 65504, and became"
                                + " infinite, in b (and 2 more); write bfloat16 or float32");
    }

    @Test
    void aSoundTensorHasNoNotice() {
        assertThat(NotFinite.notices(
                        "adapter", Map.of("a", DType.F16, "b", DType.F32), Map.of("a", Map.of("branch", "x"))))
                .isEmpty();
    }
}
