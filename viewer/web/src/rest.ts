/** What all pages but the clinic's and the login page share: their words, and their styles in an order in which a later one wins. */
import "./textsRest";
import "./styles/board.css";
import "./styles/boardSizes.css";
import "./styles/ecg.css";
import "./styles/case.css";
import "./styles/care.css";
import "./styles/duty.css";
import "./styles/roster.css";
import "./styles/rules.css";
import "./styles/tasks.css";
import "./styles/printPages.css";
