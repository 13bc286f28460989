package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The closed word classes of the sentence check. <em>Stateless, thread-safe.</em> */
final class Lexicon {

    private static final Set<String> NEGATIONS = set("not no never none without cannot neither nor nothing nobody"
            + " nowhere hardly barely scarcely isn aren wasn weren don doesn didn won wouldn couldn shouldn hasn haven"
            + " hadn ain mustn needn isnt arent wasnt werent dont doesnt didnt wont wouldnt couldnt shouldnt hasnt"
            + " havent hadnt cant"
            // German, French, Spanish, Italian, Portuguese, Dutch, Nordic, Polish, Russian, Turkish
            + " nicht kein keine keinen keinem keiner keines nie niemals ohne weder ne pas jamais sans aucun aucune ni"
            + " nunca jamás sin ningún ninguna tampoco non mai senza nessun nessuna não sem nem niet geen nooit zonder"
            + " inte aldrig utan ingen inga ikke aldri uten uden bez не нет ни никогда без değil yok");

    /** Words whose loss, gain or exchange changes the meaning of a sentence; each maps to its canonical form. */
    private static final Map<String, String> QUALIFIERS = map("more fewer:less less most least all every:all each:all"
            + " some any many few several both either only always sometimes often usually rarely seldom mostly partly"
            + " first last former latter previous previously:previous next once twice half double"
            + " minimum:least maximum:most fail fails:fail failed:fail lack lacks:lack lacked:lack refuse refuses:refuse"
            + " refused:refuse deny denies:deny denied:deny false untrue:false wrong unlikely impossible formerly:former"
            + " everything:all everyone:all everybody:all something:some someone:some somebody:some"
            + " anything:any anyone:any anybody:any except unable stop stops:stop stopped:stop cease ceases:cease ceased:cease avoid avoids:avoid"
            + " avoided:avoid prevent prevents:prevent prevented:prevent");

    private static final Map<String, String> UNITS = map("percent percentage:percent second:second seconds:second"
            + " minute minutes:minute hour hours:hour day days:day week weeks:week month months:month year years:year"
            + " decade decades:decade century centuries:century kilometre kilometres:kilometre kilometer:kilometre"
            + " kilometers:kilometre metre metres:metre meter:metre meters:metre mile miles:mile foot feet:foot inch"
            + " inches:inch kilogram kilograms:kilogram gram grams:gram pound pounds:pound tonne tonnes:tonne ton"
            + " tons:ton litre litres:litre liter:litre liters:litre euro euros:euro eur:euro dollar dollars:dollar"
            + " usd:dollar cent cents:cent bit bits:bit byte bytes:byte kilobyte megabyte gigabyte terabyte degree"
            + " degrees:degree watt watts:watt volt volts:volt hundred hundreds:hundred thousand thousands:thousand"
            + " million millions:million billion billions:billion trillion trillions:trillion dozen dozens:dozen"
            + " milliseconds:millisecond millisecond token:token tokens:token");

    /** Abbreviations that are units only directly after a number. */
    private static final Map<String, String> SHORT_UNITS = map(
            "s:second sec:second ms:millisecond min:minute"
                    + " mins:minute h:hour hr:hour hrs:hour km:kilometre m:metre cm:centimetre mm:millimetre ft:foot kg:kilogram"
                    + " g:gram mg:milligram lb:pound lbs:pound t:tonne l:litre ml:millilitre kb:kilobyte mb:megabyte gb:gigabyte"
                    + " tb:terabyte k:thousand bn:billion am pm times x:times c:celsius f:fahrenheit w:watt kw:kilowatt v:volt");

    private static final Map<String, String> NUMERALS = map("zero:0 eleven:11 twelve:12 thirteen:13 fourteen:14"
            + " fifteen:15 sixteen:16 seventeen:17 eighteen:18 nineteen:19 twenty:20 thirty:30 forty:40 fifty:50"
            + " sixty:60 seventy:70 eighty:80 ninety:90");

    private static final Set<String> PREPOSITIONS = set("of at by for with without about against between among into"
            + " through during before after above below to from up down in out on off over under upon within across"
            + " along toward towards via per until since than as near behind beyond beside beneath inside outside"
            + " despite throughout onto like");

    /** Prepositions that a faithful rewording keeps; the others are interchangeable. */
    private static final Set<String> DIRECTIONS = set("from by before after above below over under down off out"
            + " against without until since than between inside outside despite behind beyond");

    private static final Set<String> CONJUNCTIONS = set("and or but nor while whereas because although though which who"
            + " whom whose that when where if unless so yet then whether except however");

    private static final Set<String> COORDINATIONS = set("and but yet so then however or nor");

    private static final Set<String> OPPOSITIONS = set("but yet however whereas");

    private static final Set<String> CONDITIONS = set("if unless whether suppose supposing lest");

    private static final Set<String> HEDGES =
            set("may might perhaps possibly probably likely maybe supposedly allegedly reportedly presumably");

    private static final Set<String> DETERMINERS =
            set("the a an this that these those its their his her my our your" + " another such");

    private static final Map<String, String> PRONOUNS = map("i:speaker me:speaker my:speaker mine:speaker"
            + " myself:speaker we:speakers us:speakers our:speakers ours:speakers ourselves:speakers you your:you"
            + " yours:you yourself:you he him:he his:he himself:he she her:she hers:she herself:she it its:it itself:it"
            + " they them:they their:they theirs:they themselves:they this these:this");

    /** Words by which a text refers to itself, or without content; they need no source. */
    private static final Set<String> LIGHT = set("answer question passage passages document documents text article"
            + " source sources section mentioned described explained according following information context provided"
            + " summary conclusion overall note means specifically additionally addition also therefore thus");

    private static final Map<String, String> IRREGULAR = bases("arose:arise ate:eat eaten:eat beat:beat beaten:beat"
            + " became:become began:begin begun:begin bent:bend bit:bite bitten:bite blew:blow blown:blow bought:buy"
            + " bound:bind broke:break broken:break brought:bring built:build burnt:burn came:come caught:catch"
            + " chose:choose chosen:choose crept:creep dealt:deal drank:drink drawn:draw drew:draw driven:drive"
            + " drove:drive drunk:drink dug:dig fallen:fall fed:feed fell:fall felt:feel fled:flee flew:fly flown:fly"
            + " forgot:forget forgotten:forget fought:fight found:find froze:freeze frozen:freeze gave:give given:give"
            + " gone:go got:get gotten:get grew:grow grown:grow heard:hear held:hold hid:hide hidden:hide hung:hang"
            + " kept:keep knew:know known:know laid:lay lain:lie led:lead left:leave lent:lend lost:lose made:make"
            + " meant:mean met:meet paid:pay ran:run rang:ring rode:ride ridden:ride risen:rise rose:rise said:say"
            + " sang:sing sank:sink sat:sit saw:see seen:see sent:send shaken:shake shook:shake shot:shoot shown:show"
            + " slept:sleep slid:slide sold:sell sought:seek spent:spend spoke:speak spoken:speak sprang:spring"
            + " stole:steal stolen:steal stood:stand struck:strike stuck:stick sung:sing swam:swim swept:sweep"
            + " swore:swear sworn:swear swum:swim taken:take taught:teach thought:think threw:throw thrown:throw"
            + " told:tell took:take tore:tear torn:tear understood:understand went:go wept:weep woke:wake woken:wake"
            + " won:win wore:wear worn:wear wove:weave woven:weave writing:write written:write wrote:write goes:go"
            + " children:child men:man women:woman teeth:tooth mice:mouse wives:wife knives:knife wolves:wolf");

    private Lexicon() {}

    static boolean isNegation(String lower) {
        return NEGATIONS.contains(lower);
    }

    static Optional<String> qualifier(String lower) {
        return Optional.ofNullable(QUALIFIERS.get(lower));
    }

    /** @param afterNumber whether the word directly follows a number, so that an abbreviation can be a unit */
    static Optional<String> unit(String lower, boolean afterNumber) {
        String unit = UNITS.get(lower);
        return Optional.ofNullable(unit == null && afterNumber ? SHORT_UNITS.get(lower) : unit);
    }

    static Optional<String> numeral(String lower) {
        return Optional.ofNullable(NUMERALS.get(lower));
    }

    static boolean isPreposition(String lower) {
        return PREPOSITIONS.contains(lower);
    }

    static boolean isDirection(String lower) {
        return DIRECTIONS.contains(lower);
    }

    static boolean isConjunction(String lower) {
        return CONJUNCTIONS.contains(lower);
    }

    static boolean isCoordination(String lower) {
        return COORDINATIONS.contains(lower);
    }

    static boolean isOpposition(String lower) {
        return OPPOSITIONS.contains(lower);
    }

    static boolean isCondition(String lower) {
        return CONDITIONS.contains(lower);
    }

    static boolean isHedge(String lower) {
        return HEDGES.contains(lower);
    }

    static boolean isDeterminer(String lower) {
        return DETERMINERS.contains(lower);
    }

    static Optional<String> pronoun(String lower) {
        return Optional.ofNullable(PRONOUNS.get(lower));
    }

    static boolean isLight(String word) {
        return LIGHT.contains(word.toLowerCase(Locale.ROOT));
    }

    /** The stem of the base form of an irregular form. */
    static Optional<String> irregular(String lower) {
        return Optional.ofNullable(IRREGULAR.get(lower));
    }

    private static Set<String> set(String words) {
        return Set.of(words.split(" "));
    }

    /** Parses {@code word:value} entries; {@code word} alone is its own value. */
    private static Map<String, String> map(String entries) {
        Map<String, String> map = new HashMap<>();
        for (String entry : entries.split(" ")) {
            int colon = entry.indexOf(':');
            map.put(colon < 0 ? entry : entry.substring(0, colon), entry.substring(colon + 1));
        }
        return Map.copyOf(map);
    }

    private static Map<String, String> bases(String entries) {
        Map<String, String> map = new HashMap<>(map(entries));
        map.replaceAll((form, base) -> Words.stem(base));
        return Map.copyOf(map);
    }
}
