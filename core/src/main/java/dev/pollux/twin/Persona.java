package dev.pollux.twin;

/**
 * The identity of a twin in the prompt: its name, manner and language. <em>Immutable.</em>
 *
 * @param name the twin's name; not blank
 * @param instructions tone and manner, as sentences addressed to the model; may be empty
 * @param language the English name of the answer's language; if empty, the model chooses
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

    /** Returns a persona without a fixed language. */
    public static Persona of(String name, String instructions) {
        return new Persona(name, instructions, "");
    }

    /** The introduction of the persona at the beginning of the system message. */
    String introduction() {
        String text = "You are " + name + ".";
        text += instructions.isBlank() ? "" : " " + instructions.strip();
        return text + (language.isBlank() ? "" : " Answer in " + language + ".");
    }
}
