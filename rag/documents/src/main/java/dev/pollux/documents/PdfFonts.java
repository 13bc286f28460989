package dev.pollux.documents;

import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.fontbox.FontBoxFont;
import org.apache.fontbox.ttf.TTFParser;
import org.apache.fontbox.ttf.TrueTypeFont;
import org.apache.pdfbox.io.RandomAccessReadBuffer;
import org.apache.pdfbox.pdmodel.font.CIDFontMapping;
import org.apache.pdfbox.pdmodel.font.FontMapper;
import org.apache.pdfbox.pdmodel.font.FontMappers;
import org.apache.pdfbox.pdmodel.font.FontMapping;
import org.apache.pdfbox.pdmodel.font.PDCIDSystemInfo;
import org.apache.pdfbox.pdmodel.font.PDFontDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * Gives PDFBox one font for all that a file does not embed, while a file is read for its text.
 *
 * <p>PDFBox would read every font of the system and write a list of them into the home folder. Text needs no shapes: characters
 * and widths are in the file. The mapper of PDFBox is global, so threads that do not read a file here get the former one.
 * <em>Thread-safe.</em>
 */
final class PdfFonts implements FontMapper {

    private static final String FONT = "/org/apache/pdfbox/resources/ttf/LiberationSans-Regular.ttf";

    private static final Set<Thread> READING = ConcurrentHashMap.newKeySet();
    private static final PdfFonts INSTALLED = new PdfFonts(FontMappers.instance());

    private final FontMapper former;
    private @Nullable TrueTypeFont font;

    private PdfFonts(FontMapper former) {
        this.former = former;
    }

    /** Work with a file. */
    @FunctionalInterface
    interface Reading {
        void run() throws IOException;
    }

    /** Runs {@code reading} without fonts of the system. */
    static void without(Reading reading) throws IOException {
        synchronized (INSTALLED) {
            if (FontMappers.instance() != INSTALLED) {
                FontMappers.set(INSTALLED);
            }
        }
        Thread thread = Thread.currentThread();
        boolean outer = READING.add(thread);
        try {
            reading.run();
        } finally {
            if (outer) {
                READING.remove(thread);
            }
        }
    }

    private static boolean isReading() {
        return READING.contains(Thread.currentThread());
    }

    private synchronized TrueTypeFont font() {
        TrueTypeFont known = font;
        if (known == null) {
            try (InputStream in = FontMapper.class.getResourceAsStream(FONT)) {
                if (in == null) {
                    throw new UnreadableException("needs a font that this version of PDFBox lacks");
                }
                known = new TTFParser().parse(new RandomAccessReadBuffer(in));
            } catch (IOException e) {
                throw Parts.failed(e);
            }
            font = known;
        }
        return known;
    }

    @Override
    public FontMapping<TrueTypeFont> getTrueTypeFont(String name, PDFontDescriptor descriptor) {
        return isReading() ? new FontMapping<>(font(), false) : former.getTrueTypeFont(name, descriptor);
    }

    @Override
    public FontMapping<FontBoxFont> getFontBoxFont(String name, PDFontDescriptor descriptor) {
        return isReading() ? new FontMapping<>(font(), false) : former.getFontBoxFont(name, descriptor);
    }

    @Override
    public CIDFontMapping getCIDFont(String name, PDFontDescriptor descriptor, PDCIDSystemInfo info) {
        return isReading() ? new CIDFontMapping(null, font(), false) : former.getCIDFont(name, descriptor, info);
    }
}
