package dev.pollux.embedding;

import java.util.List;

/** Sentences on one subject each, for collections too small to be measured alone. */
final class EverydaySentences {

    static final List<String> ALL = List.of(
            "The bakery on the corner sells fresh rye bread every morning before seven.",
            "A lighthouse keeper writes the direction of the wind into a journal each evening.",
            "The violin was made of spruce and maple in a small workshop in Cremona.",
            "Passengers change at the central station for the night train to the coast.",
            "The dentist recommends brushing the teeth twice daily with a soft brush.",
            "Heavy rain washed the gravel path into the pond behind the garden shed.",
            "The council approved a new bicycle lane along the river last autumn.",
            "Bees visit the apple blossoms as soon as the morning air is warm.",
            "The printer stops when the paper tray is empty or the toner is low.",
            "A volcano on the island erupted and covered two villages with ash.",
            "The goalkeeper saved a penalty in the last minute of the second half.",
            "Interest on the savings account is paid at the end of each quarter.",
            "The museum shows Roman coins that a farmer found while ploughing a field.",
            "Salt lowers the temperature at which water on the road freezes.",
            "The choir rehearses on Thursdays in the hall next to the library.",
            "A nurse measures the blood pressure of every patient after breakfast.",
            "The old oak was struck by lightning during the storm in August.",
            "Tomatoes ripen faster when they are kept in a bowl beside bananas.",
            "The engineer replaced the worn bearing in the pump of the heating system.",
            "Whales travel thousands of kilometres to give birth in warmer seas.",
            "The tailor shortened the sleeves of the wool coat by three centimetres.",
            "Students borrow laptops from the school office for the length of a term.",
            "The judge postponed the trial because a witness had fallen ill.",
            "A telescope with a larger mirror gathers the light of fainter galaxies.",
            "The ferry carries forty cars and leaves the northern harbour at noon.",
            "Clay pots are dried for a week before they are fired in the kiln.",
            "The newspaper printed an apology for the wrong name below the photograph.",
            "Climbers sleep in a stone hut below the glacier before the final ascent.",
            "The programmer wrote a test that fails whenever the parser drops a comma.",
            "Olive oil is pressed within a day after the fruit has been picked.",
            "The mayor opened the swimming pool again after two years of repairs.",
            "Children painted the fence of the playground yellow and blue in spring.");

    private EverydaySentences() {}
}
