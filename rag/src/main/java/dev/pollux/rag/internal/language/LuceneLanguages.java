package dev.pollux.rag.internal.language;

import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.LanguageProvider;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.bg.BulgarianAnalyzer;
import org.apache.lucene.analysis.bg.BulgarianStemmer;
import org.apache.lucene.analysis.bn.BengaliAnalyzer;
import org.apache.lucene.analysis.ca.CatalanAnalyzer;
import org.apache.lucene.analysis.ckb.SoraniAnalyzer;
import org.apache.lucene.analysis.cz.CzechAnalyzer;
import org.apache.lucene.analysis.cz.CzechStemmer;
import org.apache.lucene.analysis.da.DanishAnalyzer;
import org.apache.lucene.analysis.de.GermanAnalyzer;
import org.apache.lucene.analysis.el.GreekAnalyzer;
import org.apache.lucene.analysis.es.SpanishAnalyzer;
import org.apache.lucene.analysis.es.SpanishLightStemmer;
import org.apache.lucene.analysis.et.EstonianAnalyzer;
import org.apache.lucene.analysis.eu.BasqueAnalyzer;
import org.apache.lucene.analysis.fa.PersianAnalyzer;
import org.apache.lucene.analysis.fi.FinnishAnalyzer;
import org.apache.lucene.analysis.fi.FinnishLightStemmer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.fr.FrenchLightStemmer;
import org.apache.lucene.analysis.ga.IrishAnalyzer;
import org.apache.lucene.analysis.gl.GalicianAnalyzer;
import org.apache.lucene.analysis.hi.HindiAnalyzer;
import org.apache.lucene.analysis.hu.HungarianAnalyzer;
import org.apache.lucene.analysis.hu.HungarianLightStemmer;
import org.apache.lucene.analysis.hy.ArmenianAnalyzer;
import org.apache.lucene.analysis.id.IndonesianAnalyzer;
import org.apache.lucene.analysis.id.IndonesianStemmer;
import org.apache.lucene.analysis.it.ItalianAnalyzer;
import org.apache.lucene.analysis.it.ItalianLightStemmer;
import org.apache.lucene.analysis.lt.LithuanianAnalyzer;
import org.apache.lucene.analysis.lv.LatvianAnalyzer;
import org.apache.lucene.analysis.lv.LatvianStemmer;
import org.apache.lucene.analysis.ne.NepaliAnalyzer;
import org.apache.lucene.analysis.nl.DutchAnalyzer;
import org.apache.lucene.analysis.no.NorwegianAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseLightStemmer;
import org.apache.lucene.analysis.ro.RomanianAnalyzer;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.ru.RussianLightStemmer;
import org.apache.lucene.analysis.sr.SerbianAnalyzer;
import org.apache.lucene.analysis.sv.SwedishAnalyzer;
import org.apache.lucene.analysis.sv.SwedishLightStemmer;
import org.apache.lucene.analysis.ta.TamilAnalyzer;
import org.apache.lucene.analysis.te.TeluguAnalyzer;
import org.apache.lucene.analysis.th.ThaiAnalyzer;
import org.apache.lucene.analysis.tr.TurkishAnalyzer;

/** The languages of Lucene's analyzers: their lists of function words, and light stemmers where there are such. <em>Thread-safe.</em> */
public final class LuceneLanguages implements LanguageProvider {

    /** A language before it is needed: its list is read when a text of its script comes. */
    private record Entry(Supplier<CharArraySet> functionWords, UnaryOperator<String> stemmer) {}

    private static final Map<String, Entry> ENTRIES = entries();

    /** For {@link java.util.ServiceLoader}. */
    public LuceneLanguages() {}

    @Override
    public Set<String> codes() {
        return ENTRIES.keySet();
    }

    @Override
    public Optional<Language> language(String code) {
        return Optional.ofNullable(ENTRIES.get(code))
                .map(entry -> new Language(code, strings(entry.functionWords().get()), entry.stemmer()));
    }

    private static Set<String> strings(CharArraySet words) {
        Set<String> strings = new HashSet<>();
        for (Object word : words) {
            String text = new String((char[]) word);
            if (!text.startsWith("#")) { // comments that the list's reader takes for words
                strings.add(text);
            }
        }
        return strings;
    }

    private static Map<String, Entry> entries() {
        Map<String, Entry> entries = new HashMap<>();
        latin(entries);
        entries.put(
                "ru", new Entry(RussianAnalyzer::getDefaultStopSet, Stems.inPlace(new RussianLightStemmer()::stem)));
        entries.put("bg", new Entry(BulgarianAnalyzer::getDefaultStopSet, Stems.inPlace(new BulgarianStemmer()::stem)));
        entries.put("sr", new Entry(SerbianAnalyzer::getDefaultStopSet, Stems.snowball("Serbian")));
        entries.put("el", new Entry(GreekAnalyzer::getDefaultStopSet, Stems::greek));
        entries.put("ar", new Entry(ArabicAnalyzer::getDefaultStopSet, Stems::arabic));
        entries.put("fa", new Entry(PersianAnalyzer::getDefaultStopSet, Stems::persian));
        entries.put("ckb", new Entry(SoraniAnalyzer::getDefaultStopSet, Stems::sorani));
        entries.put("hi", new Entry(HindiAnalyzer::getDefaultStopSet, Stems::hindi));
        entries.put("ne", new Entry(NepaliAnalyzer::getDefaultStopSet, Stems.snowball("Nepali")));
        entries.put("hy", new Entry(ArmenianAnalyzer::getDefaultStopSet, Stems.snowball("Armenian")));
        entries.put("bn", new Entry(BengaliAnalyzer::getDefaultStopSet, UnaryOperator.identity()));
        entries.put("ta", new Entry(TamilAnalyzer::getDefaultStopSet, Stems.snowball("Tamil")));
        entries.put("te", new Entry(TeluguAnalyzer::getDefaultStopSet, UnaryOperator.identity()));
        entries.put("th", new Entry(ThaiAnalyzer::getDefaultStopSet, UnaryOperator.identity()));
        for (String code : new String[] {"pl", "sk", "hr", "uk"}) {
            entries.put(code, new Entry(() -> CharArraySet.EMPTY_SET, Stems::truncated));
        }
        return Map.copyOf(entries);
    }

    private static void latin(Map<String, Entry> entries) {
        entries.put("de", new Entry(GermanAnalyzer::getDefaultStopSet, Stems::german));
        entries.put("fr", new Entry(FrenchAnalyzer::getDefaultStopSet, Stems.inPlace(new FrenchLightStemmer()::stem)));
        entries.put(
                "es", new Entry(SpanishAnalyzer::getDefaultStopSet, Stems.inPlace(new SpanishLightStemmer()::stem)));
        entries.put(
                "it", new Entry(ItalianAnalyzer::getDefaultStopSet, Stems.inPlace(new ItalianLightStemmer()::stem)));
        entries.put(
                "pt",
                new Entry(PortugueseAnalyzer::getDefaultStopSet, Stems.inPlace(new PortugueseLightStemmer()::stem)));
        entries.put("nl", new Entry(DutchAnalyzer::getDefaultStopSet, Stems.snowball("Dutch")));
        entries.put(
                "sv", new Entry(SwedishAnalyzer::getDefaultStopSet, Stems.inPlace(new SwedishLightStemmer()::stem)));
        entries.put("da", new Entry(DanishAnalyzer::getDefaultStopSet, Stems.snowball("Danish")));
        entries.put("no", new Entry(NorwegianAnalyzer::getDefaultStopSet, Stems.snowball("Norwegian")));
        entries.put(
                "fi", new Entry(FinnishAnalyzer::getDefaultStopSet, Stems.inPlace(new FinnishLightStemmer()::stem)));
        entries.put(
                "hu",
                new Entry(HungarianAnalyzer::getDefaultStopSet, Stems.inPlace(new HungarianLightStemmer()::stem)));
        entries.put("cs", new Entry(CzechAnalyzer::getDefaultStopSet, Stems.inPlace(new CzechStemmer()::stem)));
        entries.put("ro", new Entry(RomanianAnalyzer::getDefaultStopSet, Stems.snowball("Romanian")));
        entries.put("tr", new Entry(TurkishAnalyzer::getDefaultStopSet, Stems.snowball("Turkish")));
        entries.put("ca", new Entry(CatalanAnalyzer::getDefaultStopSet, Stems.snowball("Catalan")));
        entries.put(
                "gl",
                new Entry(GalicianAnalyzer::getDefaultStopSet, Stems.inPlace(new PortugueseLightStemmer()::stem)));
        entries.put(
                "id",
                new Entry(
                        IndonesianAnalyzer::getDefaultStopSet,
                        Stems.inPlace((word, length) -> new IndonesianStemmer().stem(word, length, false))));
        entries.put("lt", new Entry(LithuanianAnalyzer::getDefaultStopSet, Stems.snowball("Lithuanian")));
        entries.put("lv", new Entry(LatvianAnalyzer::getDefaultStopSet, Stems.inPlace(new LatvianStemmer()::stem)));
        entries.put("et", new Entry(EstonianAnalyzer::getDefaultStopSet, Stems.snowball("Estonian")));
        entries.put("eu", new Entry(BasqueAnalyzer::getDefaultStopSet, Stems.snowball("Basque")));
        entries.put("ga", new Entry(IrishAnalyzer::getDefaultStopSet, Stems.snowball("Irish")));
    }
}
