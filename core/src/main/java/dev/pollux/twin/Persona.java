package dev.pollux.twin;

/**
 * Whom a twin speaks for, and how. <em>Immutable.</em>
 *
 * @param name the twin's name; not blank
 * @param instructions tone and manner, as sentences to the model; may be empty
 * @param language the language to answer in, by its English name; empty: left to the model
 */
public record Persona(String name, String instructions, String language) {

    /** Pollux, who answers briefly and plainly. */
    public static final Persona DEFAULT =
            new Persona("Pollux", "You answer briefly and plainly, in whole sentences.", "");

    public Persona {
        if (name.isBlank()) {
            throw new IllegalArgumentException("name must not be blank; give the twin a name");
        }
    }

    /** One that answers in the language the model chooses. */
    public static Persona of(String name, String instructions) {
        return new Persona(name, instructions, "");
    }

    /** What the model is told about itself, as the first part of the system message. */
    String introduction() {
        String text = "You are " + name + ".";
        text += instructions.isBlank() ? "" : " " + instructions.strip();
        return text + (language.isBlank() ? "" : " Answer in " + language + ".");
    }
}
