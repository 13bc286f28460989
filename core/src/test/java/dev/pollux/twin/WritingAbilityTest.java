package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.twin.TwinOptions.Style;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class WritingAbilityTest {

    @Test
    void aModelWritesFromABillionParametersOn() {
        assertThat(WritingAbility.of(Style.AUTO, OptionalLong.of(134_515_008)))
                .isEqualTo(
                        new WritingAbility(false, "the model has 135 million parameters, and writing needs 1 billion"));
        assertThat(WritingAbility.of(Style.AUTO, OptionalLong.of(999_999_999)).writes())
                .isFalse();
        assertThat(WritingAbility.of(Style.AUTO, OptionalLong.of(1_235_814_400)))
                .isEqualTo(
                        new WritingAbility(true, "the model has 1.2 billion parameters, and writing needs 1 billion"));
    }

    @Test
    void aModelOfUnknownSizeWritesWhereItIsTold() {
        assertThat(WritingAbility.of(Style.AUTO, OptionalLong.empty()))
                .isEqualTo(new WritingAbility(
                        false, "it is not known how many parameters the model has, and writing needs 1 billion"));
        assertThat(WritingAbility.of(Style.WRITE, OptionalLong.empty()))
                .isEqualTo(new WritingAbility(true, "the model was asked to write"));
        assertThat(WritingAbility.of(Style.QUOTE, OptionalLong.of(7_000_000_000L)))
                .isEqualTo(new WritingAbility(false, "only quotes were asked for"));
    }
}
