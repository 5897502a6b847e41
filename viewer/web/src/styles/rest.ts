/** The styles of all pages but the clinic's and the login page, in their order: a later one wins. */
import "./board.css";
import "./ecg.css";
import "./case.css";
import "./care.css";
import "./duty.css";
import "./roster.css";
import "./rules.css";
import "./tasks.css";
