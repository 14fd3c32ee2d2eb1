// The recommended rules, but for those that only the markup of Sphinx and its theme breaks.
export default {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // How Sphinx and docutils write HTML: valid, in another style than this checker's.
    "no-trailing-whitespace": "off",
    "void-style": "off",
    "attribute-boolean-style": "off",
    "no-redundant-role": "off",
    "prefer-native-element": "off",
    "prefer-tbody": "off",
    "valid-id": ["error", { relaxed: true }], // a function's id is its full name, with dots
    // The theme's buttons stand outside of forms, where a missing type changes nothing; the one that
    // shows the sidebar is named by its title; its search forms are sent with Enter.
    "no-implicit-button-type": "off",
    "text-content": "off",
    "wcag/h32": "off",
    // Diagrams are drawn for Jupyter and Colab too, where there is no style sheet of ours.
    "no-inline-style": "off",
  },
};
