//! Does: the catalogue's French, room by room as the sentences are written in the core. Holes are
//! explained in `template.rs`; `{2}` takes the second argument. A service is « il » or nothing at
//! all: its name tells no gender. It is one table, hence its length.

/// What the core writes, and its French.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    // notify
    (
        "corrective actions open: {n}, late: {n}: {}",
        "actions correctives ouvertes : {}, en retard : {} : {}",
    ),
    ("{n} refused: {}", "{} refusé : {}"),
    ("{s} in a digest", "{}, dans un résumé"),
    ("opened", "ouvert"),
    ("relapsed", "rechute"),
    ("escalated", "remis à une personne"),
    ("overdue", "en retard"),
    ("approval", "accord demandé"),
    ("restored", "rétabli"),
    ("resolved", "résolu"),
    (
        "{n} records could not be written and are lost",
        "{} entrées n'ont pas pu être écrites et sont perdues",
    ),
    (
        "the channel {n} takes no messages any more: {}",
        "le canal {} ne prend plus de messages : {}",
    ),
    // detect
    ("{n} is {w}, exit code {n}; console: {}", "{} est {}, code de sortie {} ; console : {}"),
    ("{n} is {w}; console: {}", "{} est {} ; console : {}"),
    ("{n} is {w}, exit code {n}", "{} est {}, code de sortie {}"),
    ("{n} is {w}", "{} est {}"),
    (
        "{n} is running but answers neither A2S ({n} failures) nor RCON ({n} failures)",
        "{} tourne mais ne répond ni à A2S ({} échecs) ni à RCON ({} échecs)",
    ),
    (
        "{n} answers neither A2S nor RCON, and its runtime cannot be asked",
        "{} ne répond ni à A2S ni à RCON, et son moteur d'exécution est injoignable",
    ),
    (
        "{n}: {n} alone fails ({n} times); nothing is touched on one proof",
        "{} : seul {} échoue ({} fois) ; rien n'est touché sur une seule preuve",
    ),
    ("{n} died {n} times within {n} min", "{} est mort {} fois en {} min"),
    (
        "a process inside {n} was killed for memory; {n} itself goes on",
        "un processus de {} a été tué faute de mémoire ; {} lui-même continue",
    ),
    ("{n} was killed for memory (limit {n} MiB)", "{} a été tué faute de mémoire (limite {} Mio)"),
    ("{n} was killed for memory", "{} a été tué faute de mémoire"),
    ("{n}: its health check fails", "{} : son contrôle de santé échoue"),
    (
        "{n} does not answer `SELECT 1` in time ({n} looks in a row)",
        "{} ne répond pas à temps à `SELECT 1` ({} essais de suite)",
    ),
    ("{n} says that it lost its database: {}", "{} dit avoir perdu sa base de données : {}"),
    ("{n} uses {n} % of its memory limit", "{} utilise {} % de sa limite de mémoire"),
    ("{n} uses {n} % of its CPU limit", "{} utilise {} % de sa limite de CPU"),
    (
        "{n}: {n} connections, {n} slow queries within the hour",
        "{} : {} connexions, {} requêtes lentes dans l'heure",
    ),
    ("the host has {n} % of its memory available", "l'hôte a {} % de sa mémoire disponible"),
    ("the disk at {} is {n} % full", "le disque monté sur {} est plein à {} %"),
    ("a disk is nearly full", "un disque est presque plein"),
    ("{n}: {n} Lua errors a minute, {}", "{} : {} erreurs Lua par minute, {}"),
    ("{n}: {n} net messages of {} ({n}) rejected", "{} : {} messages réseau de {} ({}) rejetés"),
    ("{n} differs from the compose file: {l}", "{} diffère du fichier compose : {}"),
    ("it was not made by Compose", "il n'a pas été créé par Compose"),
    (
        "the compose file has changed since it was made (a restart does not apply that)",
        "le fichier compose a changé depuis sa création (un redémarrage n'y suffit pas)",
    ),
    (
        "the tag {n} now names another image than the one that runs",
        "le tag {} désigne maintenant une autre image que celle qui tourne",
    ),
    ("it runs the image {n} instead of {n}", "il tourne sur l'image {} au lieu de {}"),
    ("the variable {n} is missing", "la variable {} manque"),
    (
        "the variable {n} is not in the compose file",
        "la variable {} n'est pas dans le fichier compose",
    ),
    ("the variable {n} is {n} instead of {n}", "la variable {} vaut {} au lieu de {}"),
    ("the variable {n} differs", "la variable {} diffère"),
    ("nothing is mounted at {n}", "rien n'est monté sur {}"),
    (
        "what is mounted at {n} is not in the compose file",
        "ce qui est monté sur {} n'est pas dans le fichier compose",
    ),
    ("{n} is mounted at {n} instead of {n}", "{} est monté sur {2} au lieu de {3}"),
    (
        "what is mounted at {n} cannot be written and should be",
        "ce qui est monté sur {} est en lecture seule et ne devrait pas l'être",
    ),
    (
        "what is mounted at {n} can be written and should not be",
        "ce qui est monté sur {} n'est pas en lecture seule et devrait l'être",
    ),
    (
        "the memory limit is {n} and should not be there",
        "la limite de mémoire est de {} et ne devrait pas exister",
    ),
    ("there is no memory limit instead of {n}", "il n'y a pas de limite de mémoire au lieu de {}"),
    ("the memory limit is {n} instead of {n}", "la limite de mémoire est de {} au lieu de {}"),
    (
        "the CPU limit is {n} and should not be there",
        "la limite de CPU est de {} et ne devrait pas exister",
    ),
    ("there is no CPU limit instead of {n}", "il n'y a pas de limite de CPU au lieu de {}"),
    ("the CPU limit is {n} instead of {n}", "la limite de CPU est de {} au lieu de {}"),
    ("the port {n} is not published", "le port {} n'est pas publié"),
    (
        "the port {n} is published and not in the compose file",
        "le port {} est publié et n'est pas dans le fichier compose",
    ),
    (
        "the port {n} is published at {n} instead of {n}",
        "le port {} est publié sur {} au lieu de {}",
    ),
    (
        "the restart policy is {n} instead of {n}",
        "la politique de redémarrage est {} au lieu de {}",
    ),
    ("it is given {n} s for its end instead of {n} s", "il a {} s pour s'arrêter au lieu de {} s"),
    (
        "`docker compose up -d` would make it afresh and a restart would change nothing",
        "`docker compose up -d` le recréerait et un redémarrage n'y changerait rien",
    ),
    (
        "`docker compose up -d` would leave it as it is and `vigie up` makes it afresh",
        "`docker compose up -d` le laisserait tel quel et `vigie up` le recrée",
    ),
    ("and {n} more differences", "et {} autres différences"),
    ("it has no services", "il n'a pas de services"),
    // respond/predicate, respond/runbook: why a case is not chosen
    ("exit code {n} is none of {}", "le code de sortie {} n'est pas dans {}"),
    ("it has no exit code", "il n'a pas de code de sortie"),
    (
        "{n} exits lately, {n} make a crash loop",
        "arrêts récents : {}, il en faut {} pour une boucle de plantages",
    ),
    ("{n} exits lately: a crash loop", "arrêts récents : {}, c'est une boucle de plantages"),
    ("it was killed for memory", "il a été tué faute de mémoire"),
    ("it was not killed for memory", "il n'a pas été tué faute de mémoire"),
    ("the host's memory is not known", "la mémoire de l'hôte n'est pas connue"),
    ("{w} is not known", "{} : état inconnu"),
    ("{w} passes", "{} répond"),
    ("{w} failed, but not often enough", "{} a échoué, mais pas assez souvent"),
    ("{w} fails", "{} échoue"),
    ("it is {w}, not {w}", "il est {}, et non {}"),
    ("its runtime starts it again by itself", "son moteur d'exécution le relance de lui-même"),
    (
        "its runtime does not start it again by itself",
        "son moteur d'exécution ne le relance pas de lui-même",
    ),
    ("no symptom `{n}`", "pas de symptôme `{}`"),
    ("{n} does not work", "{} ne fonctionne pas"),
    ("everything it needs works", "tout ce dont il dépend fonctionne"),
    ("it would match too; {n} comes first", "conviendrait aussi ; {} passe avant"),
    ("already tried in this incident", "déjà essayé dans cet incident"),
    ("failed {n} times in this incident", "a échoué {} fois dans cet incident"),
    (
        "the restart budget is spent: {n} in {n} min",
        "le budget de redémarrages est épuisé : {} en {} min",
    ),
    // respond/step
    ("up {n}", "démarrer {}"),
    ("up it", "démarrer le service"),
    ("recreate {n}", "recréer {}"),
    ("recreate it", "recréer le service"),
    ("down and up of the whole stack", "arrêter et relancer toute la stack"),
    ("restart {n}", "redémarrer {}"),
    ("restart it", "redémarrer le service"),
    ("kill and restart {n}", "tuer et redémarrer {}"),
    ("kill and restart it", "tuer et redémarrer le service"),
    ("stop {n}", "arrêter {}"),
    ("stop it", "arrêter le service"),
    ("mark the stack degraded: {n} is missing", "marquer la stack comme dégradée : il manque {}"),
    (
        "mark the stack degraded: it is missing",
        "marquer la stack comme dégradée : le service manque",
    ),
    ("rcon {n}: {}", "commande RCON à {} : {}"),
    ("rcon it: {}", "commande RCON au service : {}"),
    ("wait {n} s", "attendre {} s"),
    (
        "go back to the last image of {n} that worked",
        "revenir à la dernière image de {} qui marchait",
    ),
    (
        "go back to the last image of it that worked",
        "revenir à la dernière image du service qui marchait",
    ),
    ("go back to the image of {n} in {n}", "revenir à l'image de {} du point {}"),
    ("go back to the image of it in {n}", "revenir à l'image du service du point {}"),
    (
        "go back to the image of {n} in {n}, and lose what was written to {} since",
        "revenir à l'image de {} du point {}, et perdre ce qui a été écrit depuis dans {}",
    ),
    (
        "go back to the image of it in {n}, and lose what was written to {} since",
        "revenir à l'image du service du point {}, et perdre ce qui a été écrit depuis dans {}",
    ),
    ("put the image of {n} back that ran before", "remettre l'image de {} qui tournait avant"),
    ("put the image of it back that ran before", "remettre l'image du service qui tournait avant"),
    ("git revert of the blamed commit", "git revert du commit mis en cause"),
    ("git revert of {n}", "git revert de {}"),
    ("git revert of {n} and push", "git revert de {} puis push"),
    ("take the git revert of {n} back", "annuler le git revert de {}"),
    ("backups are late: {}", "des sauvegardes sont en retard : {}"),
    ("drills failed: {}", "des exercices de restauration ont échoué : {}"),
    ("and {n} more", "et {} autres"),
    (
        "a backup is late: `vigie backup run` says why",
        "une sauvegarde est en retard : `vigie backup run` dit pourquoi",
    ),
    (
        "a backup did not come back: `vigie backup verify`, then `vigie backup repair`",
        "une sauvegarde n'est pas revenue : `vigie backup verify`, puis `vigie backup repair`",
    ),
    // backup/redundancy
    (
        "the copy at {n} is {n} old, and {n} is what may be lost",
        "la copie sur {} a {}, et {} est ce qui peut être perdu",
    ),
    (
        "{n} more copy: another site in [backup.site]",
        "{} copie de plus : un autre site dans [backup.site]",
    ),
    (
        "{n} more copies: another site in [backup.site]",
        "{} copies de plus : un autre site dans [backup.site]",
    ),
    (
        "{n} more copy: a git remote, and `git push` to it",
        "{} copie de plus : un dépôt git distant, et `git push` vers lui",
    ),
    (
        "{n} more copies: a git remote, and `git push` to it",
        "{} copies de plus : un dépôt git distant, et `git push` vers lui",
    ),
    (
        "a copy on another medium: all are on one disk",
        "une copie sur un autre support : toutes sont sur un seul disque",
    ),
    (
        "a copy off-site: all are on this host",
        "une copie hors site : toutes sont sur cette machine",
    ),
    (
        "its last drill failed: vigie backup drill",
        "son dernier exercice a échoué : vigie backup drill",
    ),
    (
        "its last drill is {n} old: vigie backup drill",
        "son dernier exercice a {} : vigie backup drill",
    ),
    (
        "nobody has proved that it comes back: vigie backup drill",
        "personne n'a prouvé qu'elle revient : vigie backup drill",
    ),
    // backup/target, backup/scratch
    ("it took {n}, over the RTO of {n}", "cela a pris {}, plus que le RTO de {}"),
    ("{n} was {n} old, over the RPO of {n}", "{} avait {}, plus que le RPO de {}"),
    ("{n} ran without `{}`", "{} a tourné sans `{}`"),
    (
        "{n} ran without what it shares with {n}, which is none of the stack's",
        "{} a tourné sans ce qu'il partage avec {}, qui n'est pas de la pile",
    ),
    (
        "{n} is on the host's own network, where the living one has its ports: the whole stack cannot be \
         brought up beside it; its parts are drilled one by one",
        "{} est sur le réseau de la machine elle-même, où le service vivant a ses ports : la pile entière ne \
         peut pas être relevée à côté ; ses parties sont éprouvées une par une",
    ),
    // respond/blame, respond/revert
    ("a {n} is under way in its repository", "une opération git est en cours dans son dépôt ({})"),
    ("no branch is checked out in its repository", "aucune branche n'est extraite dans son dépôt"),
    ("a file of its repository is not committed", "un fichier de son dépôt n'est pas commité"),
    (
        "{n} files of its repository are not committed",
        "{} fichiers de son dépôt ne sont pas commités",
    ),
    ("it was taken back already", "il a déjà été annulé"),
    ("it is the first commit of its repository", "c'est le premier commit de son dépôt"),
    ("it is a merge", "c'est une fusion"),
    (
        "it is {n} h old, and only what is younger than 24 h is taken back",
        "il a {} h, et seul ce qui a moins de 24 h est annulé",
    ),
    ("its commit cannot be taken back: {s}", "son commit ne peut pas être annulé : {}"),
    ("its commit can be taken back", "son commit peut être annulé"),
    ("the error is blamed on no commit", "aucun commit n'est mis en cause"),
    ("no other image is known to have worked", "aucune autre image n'est connue pour marcher"),
    ("the image of {n} is known to have worked", "l'image de {} est connue pour marcher"),
    (
        "no watched file has changed since it last worked",
        "aucun fichier surveillé n'a changé depuis que cela marchait",
    ),
    ("{} has changed since it last worked", "{} a changé depuis que cela marchait"),
    ("{} and its repository is as it was", "{} et son dépôt est comme avant"),
    ("it conflicts with what came later in {}", "il est en conflit avec ce qui a suivi dans {}"),
    (
        "changed since it last worked: {}; see what in `vigie incident show`, correct it, then restart",
        "changé depuis que cela marchait : {} ; voyez quoi dans `vigie incident show`, corrigez, puis \
         redémarrez",
    ),
    ("ask a person: {s}", "s'en remettre à une personne : {}"),
    ("it did not end in time", "pas finie à temps"),
    // respond/guard
    ("{n} was paused by a person", "{} a été mis en pause par une personne"),
    ("{n} is running and only {w} fails", "{} tourne et seul {} échoue"),
    ("{n} is running and only no proof fails", "{} tourne et aucune preuve n'échoue"),
    (
        "{n} is running and two proofs against it are needed",
        "{} tourne et il faut deux preuves contre lui",
    ),
    (
        "{n} is running, and vigie has never had an answer from {w}: check the addresses in its \
         configuration, and look at the server",
        "{} tourne, et vigie n'a jamais eu de réponse (preuves : {}) : vérifiez les adresses dans \
         sa configuration, et regardez le serveur",
    ),
    // engine/running, engine/guarding
    (
        "its service is not in the configuration any more",
        "son service n'est plus dans la configuration",
    ),
    ("a person has stopped the service meanwhile", "une personne a arrêté le service entre-temps"),
    ("its case is not in the runbooks any more", "son cas n'est plus dans les runbooks"),
    ("observe mode: case {n} would {l}", "mode observe : le cas {} ferait : {}"),
    ("nobody answered in time", "personne n'a répondu à temps"),
    ("a person said no", "une personne a dit non"),
    (
        "it works again by itself, or is starting",
        "il fonctionne de nouveau tout seul, ou il démarre",
    ),
    ("no case is left that matches", "il ne reste aucun cas qui convienne"),
    ("maintenance: a person is at work", "maintenance : une personne est à l'œuvre"),
    ("another run holds the stack", "une autre procédure occupe la stack"),
    ("refused by the guard: {s}", "refusé par la garde : {}"),
    (
        "it was dying again and again; it is stopped until a person looks",
        "il mourait sans cesse ; il reste arrêté jusqu'à ce qu'une personne regarde",
    ),
    ("a step did not work (failed: {s})", "une étape a échoué ({})"),
    ("a step did not work (refused: {s})", "une étape a été refusée ({})"),
    ("a step did not work (timed_out: {s})", "une étape a échoué ({})"),
    ("a step did not work (unknown: {s})", "une étape a échoué ({})"),
    ("no reason given", "sans raison donnée"),
    ("it did not help and was taken back", "cela n'a rien changé et a été annulé"),
    ("{n} case {n}: {k}", "{}, cas {} : {}"),
    ("{n}: {k}", "{} : {}"),
    ("collecting evidence took too long", "la collecte des preuves a pris trop de temps"),
    ("nobody has looked at {n} yet", "personne n'a encore regardé {}"),
    ("the restart budget's backoff", "le délai du budget de redémarrages"),
    // engine/verifying, engine/resuming, engine/symptoms
    (
        "it does not run, and nobody knows how far its last step came",
        "il ne tourne pas, et personne ne sait jusqu'où sa dernière étape est allée",
    ),
    ("it died again before it was verified", "il est mort de nouveau avant d'être vérifié"),
    ("it was not well in time", "il n'a pas été rétabli à temps"),
    (
        "vigie was away; it is looked at first",
        "vigie était absente ; elle regarde d'abord le service",
    ),
    (
        "vigie was stopped while it gave up on the service",
        "vigie a été arrêtée alors qu'elle renonçait à ce service",
    ),
    ("it is part of incident {n}", "il fait partie de l'incident {}"),
    // engine/driving
    ("it is over; nothing has to be approved", "c'est fini ; il n'y a rien à approuver"),
    ("{n} was carried out, and `{n}` lasts", "{} a été exécuté, et `{}` dure"),
    ("no runbook answers `{n}` on {n}", "aucun runbook ne répond à `{}` sur {}"),
    ("nobody has taken it in hand in time", "personne ne l'a pris en charge à temps"),
    (
        "no symptom is left, but {n} does not prove itself",
        "il ne reste aucun symptôme, mais {} ne donne pas signe de vie",
    ),
    ("the host is well", "l'hôte va bien"),
    ("{n} was stopped by a person", "{} a été arrêté par une personne"),
    ("{n} does not prove itself", "{} ne donne pas signe de vie"),
    ("{n} answers: {n} players on {}, {n} ms", "{} répond : {} joueurs sur {}, {} ms"),
    ("{n} works", "{} fonctionne"),
    // engine/orders
    ("incident {n} is {w} already", "l'incident {} est déjà {}"),
    ("incident {n} acknowledged", "incident {} pris en charge"),
    ("incident {n} opened", "incident {} ouvert"),
    ("incident {n} resolved", "incident {} résolu"),
    ("incident {n} closed", "incident {} clos"),
    (
        "incident {n} is {w}; resolve it first: vigie incident resolve {n}",
        "l'incident {} est {} ; résolvez-le d'abord : vigie incident resolve {}",
    ),
    ("noted in incident {n}", "noté dans l'incident {}"),
    ("the incident was resolved by a person", "l'incident a été résolu par une personne"),
    (
        "there is no incident {n}; try: vigie incident list",
        "il n'y a pas d'incident {} ; essayez : vigie incident list",
    ),
    ("run {n} is not waiting for anybody", "la procédure {} n'attend personne"),
    ("run {n} is not waiting for an approval", "la procédure {} n'attend pas d'approbation"),
    ("run {n} approved", "procédure {} approuvée"),
    ("run {n} refused", "procédure {} refusée"),
    (
        "there is no runbook `{}`; try: vigie runbook list",
        "il n'y a pas de runbook `{}` ; essayez : vigie runbook list",
    ),
    (
        "run {n} holds the stack; try again when it is over",
        "la procédure {} occupe la stack ; réessayez quand elle sera finie",
    ),
    ("runbook {n} run by hand on {n}", "runbook {} lancé à la main sur {}"),
    ("run {n} started in incident {n}", "procédure {} lancée dans l'incident {}"),
    ("{n} known incidents learned", "incidents connus appris : {}"),
    // learn/entry
    ("entry {n} written", "entrée {} écrite"),
    (
        "a report needs a text: what do players see?",
        "un signalement demande un texte : que voient les joueurs ?",
    ),
    ("a note needs a text", "une note demande un texte"),
    (
        "it has no container: vigie itself starts it again",
        "il n'a pas de conteneur : c'est vigie qui le relance",
    ),
    (
        "it has no container; `docker compose up -d` makes one",
        "il n'a pas de conteneur ; `docker compose up -d` en crée un",
    ),
    ("vigie.toml names no compose file", "vigie.toml ne nomme aucun fichier compose"),
    ("the compose file has no such service", "le fichier compose n'a pas ce service"),
    ("an entry of the journal needs a text", "une entrée du journal demande un texte"),
    ("an entry of the journal has at most {n} KiB", "une entrée du journal a au plus {} Kio"),
    ("an entry names at most {n} commits", "une entrée nomme au plus {} commits"),
    (
        "there is no incident {n} to link to; try: vigie incident list, or write the number without \
         its `#` if it is no incident's",
        "il n'y a pas d'incident {} à lier ; essayez : vigie incident list, ou écrivez le numéro \
         sans `#` si ce n'est pas celui d'un incident",
    ),
    ("done", "fait"),
    ("maintenance began", "la maintenance commence"),
    ("maintenance ended", "la maintenance est finie"),
    // observe: why a look failed
    ("no answer in time", "pas de réponse à temps"),
    ("the connection is refused", "la connexion est refusée"),
    ("an answer that makes no sense: {}", "une réponse qui n'a pas de sens : {}"),
    ("the password is refused", "le mot de passe est refusé"),
    ("it cannot be asked: {}", "impossible de l'interroger : {}"),
    // the heartbeat
    ("vigie's own engine does not answer", "le moteur de vigie lui-même ne répond pas"),
    ("it was answered with {n}", "la réponse a été {}"),
    ("no connection: {}", "pas de connexion : {}"),
    ("no answer: {}", "pas de réponse : {}"),
    // the reasons in the runbooks that ship with vigie
    (
        "the image cannot run (exit code 125 to 127)",
        "l'image ne peut pas tourner (code de sortie 125 à 127)",
    ),
    (
        "the image cannot run (exit code 125 to 127): put the last tag that worked into the compose \
         file, then `docker compose up -d`",
        "l'image ne peut pas tourner (code de sortie 125 à 127) : remettez le dernier tag qui \
         marchait dans le fichier compose, puis `docker compose up -d`",
    ),
    (
        "the database does not work; these errors may end with it",
        "la base de données ne fonctionne pas ; ces erreurs en viennent peut-être",
    ),
    (
        "see who in `vigie incident show`; kick or ban them over RCON",
        "`vigie incident show` dit qui ; expulsez ou bannissez par RCON",
    ),
    (
        "look at the error and the last commits in `vigie incident show`; `git revert` the commit \
         that broke it, then restart",
        "regardez l'erreur et les derniers commits dans `vigie incident show` ; annulez le commit \
         fautif avec `git revert`, puis redémarrez",
    ),
    (
        "see the measurements in `vigie incident show`; restart when few players are on",
        "voyez les mesures dans `vigie incident show` ; redémarrez quand il y a peu de joueurs",
    ),
    // the second floor: steps, evidence, status
    ("the service has no rcon in vigie.toml", "le service n'a pas de rcon dans vigie.toml"),
    ("the runtime's word: {s}", "l'état selon le moteur d'exécution : {}"),
    ("the console: {s}", "la console : {}"),
    ("the host's memory: no answer in time", "la mémoire de l'hôte : pas de réponse à temps"),
    ("the disk of {}: no answer in time", "le disque de {} : pas de réponse à temps"),
    ("{n} case {n} on {n}", "{}, cas {}, sur {}"),
    // the second floor: diagnose, and the plan of a runbook
    ("a2s {w}, rcon {w}", "a2s : {}, rcon : {}"),
    ("last exit code {n}", "dernier code de sortie {}"),
    (
        "verify: well within {n}, and without a break for {n}",
        "vérifier : sain en {} au plus, puis sans interruption pendant {}",
    ),
    (
        "the host has only {n} % of its memory available",
        "l'hôte n'a plus que {} % de sa mémoire disponible",
    ),
    ("a disk of the host is {n} % full", "un disque de l'hôte est plein à {} %"),
    ("{n}: {n} on {n}: {k}", "{} : {} sur {} : {}"),
    (
        "{n} uses more than 90 % of its memory limit",
        "{} utilise plus de 90 % de sa limite de mémoire",
    ),
    (
        "{n}: {n} error lines on its console, the last: {}",
        "{} : erreurs sur sa console : {}, la dernière : {}",
    ),
    ("connection refused", "connexion refusée"),
    ("an answer that is none: {}", "une réponse qui n'en est pas une : {}"),
    ("the credentials are wrong", "les identifiants sont faux"),
    ("could not be asked: {}", "impossible à interroger : {}"),
    ("{n} players on {}", "{} joueurs sur {}"),
    ("login works", "la connexion fonctionne"),
    ("connects", "accepte les connexions"),
    (
        "SELECT 1 works; {n} connections, {n} slow queries",
        "SELECT 1 fonctionne ; {} connexions, {} requêtes lentes",
    ),
    ("not known: {s}", "inconnu : {}"),
];

/// Words that stand in these sentences and in tables.
pub(super) const WORDS: &[(&str, &str)] = &[
    // states of a service
    ("unknown", "inconnu"),
    ("created", "créé mais pas démarré"),
    ("running", "en marche"),
    ("restarting", "en redémarrage"),
    ("exited", "arrêté"),
    ("paused", "en pause"),
    ("missing", "absent"),
    ("starting", "en démarrage"),
    ("stopped", "arrêté par un opérateur"),
    // health
    ("healthy", "sain"),
    ("unhealthy", "défaillant"),
    ("none", "sans contrôle"),
    // proofs
    ("A2S", "A2S"),
    ("RCON", "RCON"),
    ("TCP", "TCP"),
    ("the database", "la base de données"),
    ("the runtime", "le moteur d'exécution"),
    ("the login", "la connexion"),
    ("the port", "le port"),
    ("passing", "répond"),
    ("doubtful", "douteux"),
    ("failing", "en échec"),
    // an incident's life
    ("open", "ouvert"),
    ("repairing", "en réparation"),
    ("escalated", "remis à une personne"),
    ("restored", "rétabli"),
    ("resolved", "résolu"),
    ("closed", "clos"),
    // roles
    ("game", "jeu"),
    ("database", "base de données"),
    ("other", "autre"),
    // sources of a timeline
    ("runtime", "moteur"),
    ("detector", "détecteur"),
    ("person", "personne"),
    ("verify", "preuve"),
];

/// Symptoms, as people are told of them; within backticks they are the configuration's own words.
pub(super) const SYMPTOMS: &[(&str, &str)] = &[
    ("down", "panne"),
    ("crash_loop", "boucle de plantages"),
    ("frozen", "gel"),
    ("out_of_memory", "mémoire épuisée"),
    ("unreachable", "injoignable"),
    ("unhealthy", "contrôle de santé"),
    ("database_down", "base en panne"),
    ("database_link", "base perdue"),
    ("memory_pressure", "mémoire élevée"),
    ("cpu", "CPU élevé"),
    ("database_load", "charge de la base"),
    ("host_memory", "mémoire de l'hôte"),
    ("disk", "disque plein"),
    ("lua_errors", "erreurs Lua"),
    ("net_abuse", "abus réseau"),
    ("drift", "dérive"),
    ("backup_late", "sauvegarde en retard"),
    ("drill_failed", "exercice raté"),
];
