package dev.pollux.documents;

import java.io.IOException;
import java.io.Writer;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.pdfbox.contentstream.operator.Operator;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.text.PDFTextStripper;
import org.apache.pdfbox.text.TextPosition;

/** Collects the characters of a page with their positions and makes rows of segments of them. <em>Confined to one thread.</em> */
final class PdfGlyphs extends PDFTextStripper {

    /** Baselines that differ by less than this part of the font size are one line. */
    private static final float SAME_LINE = 0.35f;

    /** A gap wider than this part of the font size ends a segment. */
    private static final float WIDE = 1.1f;

    /** A gap wider than this part of the font size, or half of a space, is a blank. */
    private static final float BLANK = 0.17f;

    private static final float NO_SIZE = 0.5f;
    private static final char SOFT_HYPHEN = '\u00AD';

    private final Guard guard;
    private final List<TextPosition> glyphs = new ArrayList<>();

    PdfGlyphs(Guard guard) {
        this.guard = guard;
        setSortByPosition(false);
        setShouldSeparateByBeads(false);
        setSuppressDuplicateOverlappingText(true);
    }

    /** The rows of a page, from 1, from top to bottom. */
    List<Segment.Row> rows(PDDocument document, int page) throws IOException {
        glyphs.clear();
        setStartPage(page);
        setEndPage(page);
        writeText(document, Writer.nullWriter());
        return rows();
    }

    @Override
    protected void processOperator(Operator operator, List<COSBase> operands) throws IOException {
        guard.step();
        super.processOperator(operator, operands);
    }

    @Override
    protected void writePage() {
        float direction = direction();
        for (List<TextPosition> article : getCharactersByArticle()) {
            for (TextPosition glyph : article) {
                // Text in another direction than most is a label at the margin or a stamp.
                if (glyph.getDir() == direction && glyph.getUnicode() != null) {
                    glyphs.add(glyph);
                }
            }
        }
        guard.checkCharacters(glyphs.size());
    }

    /** The direction of most characters in degrees: 0, 90, 180 or 270. */
    private float direction() {
        int[] counts = new int[4];
        for (List<TextPosition> article : getCharactersByArticle()) {
            for (TextPosition glyph : article) {
                counts[Math.floorMod(Math.round(glyph.getDir() / 90), 4)]++;
            }
        }
        int best = 0;
        for (int i = 1; i < counts.length; i++) {
            best = counts[i] > counts[best] ? i : best;
        }
        return best * 90f;
    }

    private static float size(TextPosition glyph) {
        float size = Math.max(glyph.getFontSizeInPt(), glyph.getHeightDir());
        return size > NO_SIZE ? size : Math.max(1, glyph.getWidthOfSpace() * 4);
    }

    private List<Segment.Row> rows() {
        List<TextPosition> sorted = new ArrayList<>(glyphs);
        sorted.removeIf(glyph -> glyph.getUnicode().isBlank());
        sorted.sort(Comparator.comparingDouble(TextPosition::getYDirAdj));
        List<Segment.Row> rows = new ArrayList<>();
        List<TextPosition> line = new ArrayList<>();
        float baseline = 0;
        for (TextPosition glyph : sorted) {
            guard.step();
            boolean same = !line.isEmpty() && glyph.getYDirAdj() - baseline <= SAME_LINE * size(glyph);
            if (!same && !line.isEmpty()) {
                rows.add(row(line));
                line.clear();
            }
            if (line.isEmpty()) {
                baseline = glyph.getYDirAdj();
            }
            line.add(glyph);
        }
        if (!line.isEmpty()) {
            rows.add(row(line));
        }
        return rows;
    }

    private static Segment.Row row(List<TextPosition> line) {
        line.sort(Comparator.comparingDouble(TextPosition::getXDirAdj));
        List<Segment> segments = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        TextPosition first = line.get(0);
        TextPosition last = first;
        float right = first.getXDirAdj();
        float size = 0;
        for (TextPosition glyph : line) {
            float gap = glyph.getXDirAdj() - right;
            float scale = Math.max(size(glyph), size(last));
            if (!text.isEmpty() && gap > WIDE * scale) {
                segments.add(new Segment(shown(text), first.getXDirAdj(), right, first.getYDirAdj(), size));
                text.setLength(0);
                first = glyph;
                size = 0;
            } else if (!text.isEmpty()
                    && gap > Math.min(BLANK * scale, Math.max(0.1f * scale, glyph.getWidthOfSpace() / 2))) {
                text.append(' ');
            }
            text.append(glyph.getUnicode());
            size = Math.max(size, size(glyph));
            right = Math.max(right, glyph.getXDirAdj() + glyph.getWidthDirAdj());
            last = glyph;
        }
        segments.add(new Segment(shown(text), first.getXDirAdj(), right, first.getYDirAdj(), size));
        return new Segment.Row(segments);
    }

    /** The text with letters for ligatures, in NFKC only where it has such characters. */
    private static String shown(StringBuilder text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            boolean ligature = c >= 0xFB00 && c <= 0xFB4F || c >= 0xFE70 && c <= 0xFEFC;
            String one = Character.toString(c);
            out.append(ligature ? Normalizer.normalize(one, Normalizer.Form.NFKC) : one);
        });
        String collapsed = Spaces.collapse(out.toString()).replace('\n', ' ');
        boolean hyphen = out.length() > 0 && out.charAt(out.length() - 1) == SOFT_HYPHEN;
        return hyphen ? collapsed + SOFT_HYPHEN : collapsed;
    }
}
