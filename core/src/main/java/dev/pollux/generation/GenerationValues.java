package dev.pollux.generation;

import static dev.pollux.internal.OptionRange.require;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The values of {@link GenerationOptions}, with their defaults and ranges. <em>Not thread-safe: one thread at a time.</em> */
final class GenerationValues {

    int maxTokens = 512;
    int minTokens;
    double temperature;
    double topH = 1;
    int topK;
    double topP = 1;
    double minP;
    double typicalP = 1;
    double epsilonCutoff;
    double etaCutoff;
    Optional<Xtc> xtc = Optional.empty();
    Optional<Mirostat> mirostat = Optional.empty();
    double repetitionPenalty = 1;
    double presencePenalty;
    double frequencyPenalty;
    Optional<Dry> dry = Optional.empty();
    int noRepeatNgram;
    Map<Integer, Float> logitBias = Map.of();
    Map<List<Integer>, Float> sequenceBias = Map.of();
    List<List<Integer>> badWords = List.of();
    List<LogitsProcessor> logitsProcessors = List.of();
    OptionalLong seed = OptionalLong.empty();
    List<String> stop = List.of();
    OptionalInt logProbabilities = OptionalInt.empty();
    Optional<Duration> deadline = Optional.empty();
    int priority;

    GenerationValues copy() {
        GenerationValues copy = new GenerationValues();
        copy.maxTokens = maxTokens;
        copy.minTokens = minTokens;
        copy.temperature = temperature;
        copy.topH = topH;
        copy.topK = topK;
        copy.topP = topP;
        copy.minP = minP;
        copy.typicalP = typicalP;
        copy.epsilonCutoff = epsilonCutoff;
        copy.etaCutoff = etaCutoff;
        copy.xtc = xtc;
        copy.mirostat = mirostat;
        copy.repetitionPenalty = repetitionPenalty;
        copy.presencePenalty = presencePenalty;
        copy.frequencyPenalty = frequencyPenalty;
        copy.dry = dry;
        copy.noRepeatNgram = noRepeatNgram;
        copy.logitBias = logitBias;
        copy.sequenceBias = sequenceBias;
        copy.badWords = badWords;
        copy.logitsProcessors = logitsProcessors;
        copy.seed = seed;
        copy.stop = stop;
        copy.logProbabilities = logProbabilities;
        copy.deadline = deadline;
        copy.priority = priority;
        return copy;
    }

    /** The values by their names, in a new map. */
    Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("maxTokens", maxTokens);
        values.put("minTokens", minTokens);
        values.put("temperature", temperature);
        values.put("topH", topH);
        values.put("topK", topK);
        values.put("topP", topP);
        values.put("minP", minP);
        values.put("typicalP", typicalP);
        values.put("epsilonCutoff", epsilonCutoff);
        values.put("etaCutoff", etaCutoff);
        values.put("xtc", xtc);
        values.put("mirostat", mirostat);
        values.put("repetitionPenalty", repetitionPenalty);
        values.put("presencePenalty", presencePenalty);
        values.put("frequencyPenalty", frequencyPenalty);
        values.put("dry", dry);
        values.put("noRepeatNgram", noRepeatNgram);
        values.put("logitBias", logitBias);
        values.put("sequenceBias", sequenceBias);
        values.put("badWords", badWords);
        values.put("logitsProcessors", logitsProcessors);
        values.put("seed", seed);
        values.put("stop", stop);
        values.put("logProbabilities", logProbabilities);
        values.put("deadline", deadline);
        values.put("priority", priority);
        return values;
    }

    /** Refuses a value that is out of its range. */
    void check() {
        require(maxTokens >= 1, "maxTokens", "at least 1", maxTokens);
        require(
                minTokens >= 0 && minTokens <= maxTokens,
                "minTokens",
                "in [0, maxTokens] with maxTokens " + maxTokens,
                minTokens);
        require(temperature >= 0 && temperature <= 100, "temperature", "in [0, 100]", temperature);
        require(topH > 0 && topH <= 1, "topH", "in (0, 1]", topH);
        require(topK >= 0, "topK", "at least 0 (0 keeps all)", topK);
        require(topP > 0 && topP <= 1, "topP", "in (0, 1]", topP);
        require(minP >= 0 && minP <= 1, "minP", "in [0, 1]", minP);
        require(typicalP > 0 && typicalP <= 1, "typicalP", "in (0, 1]", typicalP);
        require(epsilonCutoff >= 0 && epsilonCutoff < 1, "epsilonCutoff", "in [0, 1)", epsilonCutoff);
        require(etaCutoff >= 0 && etaCutoff < 1, "etaCutoff", "in [0, 1)", etaCutoff);
        double repetition = repetitionPenalty;
        require(repetition > 0 && repetition <= 100, "repetitionPenalty", "in (0, 100]", repetition);
        require(Math.abs(presencePenalty) <= 100, "presencePenalty", "in [-100, 100]", presencePenalty);
        require(Math.abs(frequencyPenalty) <= 100, "frequencyPenalty", "in [-100, 100]", frequencyPenalty);
        require(noRepeatNgram >= 0, "noRepeatNgram", "at least 0 (0 allows all)", noRepeatNgram);
        require(stop.stream().noneMatch(String::isEmpty), "stop", "free of empty strings", stop);
        require(
                sequenceBias.keySet().stream().noneMatch(List::isEmpty),
                "sequenceBias",
                "free of empty sequences",
                sequenceBias);
        int top = logProbabilities.orElse(0);
        require(top >= 0 && top <= 100, "logProbabilities", "in [0, 100]", top);
        boolean positive =
                deadline.map(time -> !time.isNegative() && !time.isZero()).orElse(true);
        require(positive, "deadline", "longer than zero", deadline.orElse(Duration.ZERO));
        require(Math.abs((long) priority) <= 100, "priority", "in [-100, 100]", priority);
        require(badWords.stream().noneMatch(List::isEmpty), "badWords", "free of empty sequences", badWords);
    }
}
