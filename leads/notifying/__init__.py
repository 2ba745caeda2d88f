"""From rows that say what happened to messages that people get: who, how, in which words, and how it ended."""
