package dev.pollux.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LocationTest {

    @Test
    void aPlaceIsNamedAsAReaderNamesIt() {
        assertThat(Location.lines(5, 5).described()).isEqualTo("line 5");
        assertThat(Location.lines(5, 7).described()).isEqualTo("lines 5–7");
        assertThat(Location.pages(3, 3).described()).isEqualTo("page 3");
        assertThat(Location.pages(3, 4).described()).isEqualTo("pages 3–4");
        assertThat(Location.cells("Costs", "B7").described()).isEqualTo("sheet Costs, cell B7");
        assertThat(Location.cells("", "A2:D5").described()).isEqualTo("cells A2:D5");
    }

    @Test
    void aDocumentAndThePlaceInItAreShort() {
        assertThat(Location.lines(5, 5).in("boats.md")).isEqualTo("boats.md:5");
        assertThat(Location.lines(5, 7).in("boats.md")).isEqualTo("boats.md:5-7");
        assertThat(Location.pages(3, 3).in("report.pdf")).isEqualTo("report.pdf, page 3");
        assertThat(Location.cells("Costs", "B7").in("book.xlsx")).isEqualTo("book.xlsx, sheet Costs, cell B7");
    }

    @Test
    void aLinkLeadsToLinesAndPages() {
        assertThat(Location.lines(5, 5).fragment()).isEqualTo("L5");
        assertThat(Location.lines(5, 7).fragment()).isEqualTo("L5-L7");
        assertThat(Location.pages(3, 4).fragment()).isEqualTo("page=3");
        assertThat(Location.cells("Costs", "B7").fragment()).isEmpty();
    }

    @Test
    void aPartOfLinesHasItsOwnLines() {
        String text = "one\r\ntwo\nthree\rfour";
        Location whole = Location.lines(10, 13);
        assertThat(whole.part(text, 0, 3)).isEqualTo(Location.lines(10, 10));
        assertThat(whole.part(text, 5, 8)).isEqualTo(Location.lines(11, 11));
        assertThat(whole.part(text, 5, text.length())).isEqualTo(Location.lines(11, 13));
        assertThat(whole.part(text, 0, text.length())).isEqualTo(whole);
    }

    @Test
    void aPartOfPagesAndCellsHasAllOfThem() {
        assertThat(Location.pages(3, 4).part("a\nb", 2, 3)).isEqualTo(Location.pages(3, 4));
        assertThat(Location.cells("Costs", "A2:D5").part("a\nb", 2, 3)).isEqualTo(Location.cells("Costs", "A2:D5"));
    }

    @Test
    void whatIsNoPlaceIsRefused() {
        assertThatThrownBy(() -> Location.lines(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("first and last must be a range of lines from 1 but were 0 and 1");
        assertThatThrownBy(() -> Location.pages(4, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("first and last must be a range of pages from 1 but were 4 and 3");
        assertThatThrownBy(() -> Location.cells("Costs", "7B"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("range must be a cell or a range of cells but was '7B'; write it as B7 or A2:D5");
    }
}
