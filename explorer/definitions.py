"""What every figure means, in a sentence or two with its baseline. Braces are filled in where a figure is shown."""

from __future__ import annotations

DEFINITIONS = {
    "density": "Density: the share of the store's pictures in which the latent is active. Baseline: {even}, if "
    "all latents were active equally often. The bar is logarithmic, 0.01 % to 100 %.",
    "purity": "Label purity: the share of the gallery's labelled pictures that carry its most common label. "
    "Baseline: that label's share in the whole store.",
    "activation": "Activation: the latent's value after Top-K or thresholds; active means above 0. Baseline: 0, in "
    "all other pictures.",
    "scale": "The slider begins at 0, not active. Its short mark is the latent's activation in this picture, the long "
    "one its strongest in the whole store: beyond that no picture of it goes.",
    "score": "Name score: how well “the name matches the picture” tells pictures in which the latent is active from "
    "others, as area under the ROC curve (AUC), on pictures that were not used to choose the name. A name that "
    "pictures carry in label or caption matches those (good from 0.75); any other as CLIP's cosine says (good from "
    "0.85). ≥ is its lower 95 % bound, 0.65 or 0.7 at least, on 8 such pictures or more. Baseline: 0.5, a name that "
    "says nothing.",
    "fvu": "FVU: fraction of the embeddings' variance that the SAE's reconstruction leaves unexplained. Baseline:"
    " 1, for always answering with the mean embedding.",
    "cosine": "Mean cosine between an embedding and its reconstruction. Baseline: {random}, with the "
    "reconstruction of another picture.",
    "l0": "L0: mean number of active latents per picture. Baseline: {k}, the most that a picture may have.",
    "dead": "Dead latents: active in no picture of this store. Baseline: 0, an SAE that uses all of its latents here.",
    "histogram": "How many pictures have which activation; the count axis is logarithmic. The thin lines cut the "
    "gallery into ten equal parts (deciles), 10 the strongest. Baseline: activation 0, in all other pictures.",
    "deciles": "The gallery in ten equal parts by activation, decile 10 the strongest; up to eight pictures of "
    "each, evenly spaced by rank. Baseline: a latent that means one thing looks alike down to its weakest decile.",
    "decile_purity": "Decile purity: the share of pictures labelled “{label}”, the gallery's most common label, "
    "in each tenth of the gallery, the weakest at the left. Baseline, the line: {share}, the label's share in the "
    "whole store.",
    "random": "Members of the gallery drawn at random: what the latent usually means, where the top shows it at "
    "its strongest. Baseline: any picture of the store, of which it is active in {density}.",
    "near_miss": "Near miss: a picture in which the latent's pre-activation is above 0 but lost the Top-K, or is below "
    "the latent's threshold, so that it is not active. Baseline, the second figure: what it had to exceed there.",
    "monosemanticity": "Monosemanticity (MS of arXiv 2504.02821, here with the store's own embeddings): mean "
    "cosine of two pictures of the gallery, pairs weighted by the product of their activations. Baseline: "
    "{baseline}, two random pictures.",
    "split_half": "Split-half stability: the gallery's centroid in one random half of the store against the other"
    " half's (cosine; centroids are taken from the store's mean). 1: it means the same in both. Baseline: "
    "{baseline}, two different latents.",
    "standing": "Random directions with the pictures' covariance: random sums of the pictures' own deviations from the "
    "mean embedding, which follow how they vary and know nothing else. Baseline: those that are active in about as "
    "many pictures as this latent. Quality shows some of them, and all latents beside theirs.",
    "controls": "Controls: directions through the same embeddings, each active in as many pictures as the latent that "
    "it stands beside, those farthest along it; named and measured as latents are. Baselines: isotropic ones point "
    "anywhere; those with the pictures' covariance are random sums of the pictures' own deviations from the mean, so "
    "that they follow how the pictures vary and know nothing else. The latents' own directions, treated in the same "
    "way, tell what is due to the direction and what to the Top-K.",
    "lift": "Lift: how many times as often both latents are active in one picture as by chance: as often as each is, "
    "and independent but for how many are active in a picture (where that is always k, one’s place is another’s loss, "
    "and two meet less often than P(a) P(b) says). ≥ is its lower 95 % bound, which ranks them. Baseline: 1, chance.",
    "effect": "Effect: adding the latent's direction to an embedding moves a label's CLIP score by their cosine. "
    "z says how far that is from what other latents do, in standard deviations over all latents; it ranks them. "
    "A label with z above 0 and a cosine below 0 is lowered, but less than by other latents. "
    "Baseline: z = 0, the mean of all latents.",
    "dense": "Dense latents: active in more than {dense} of the pictures, too many for one meaning. Baseline: {even}, "
    "the density of every latent if all were active equally often.",
    "good_names": "Share of the latents that are not dead whose automatic name is good: a name score of at least 0.75 "
    "where pictures carry the name in label or caption, 0.85 where CLIP matches it (lower 95 % bounds 0.65 and 0.7), "
    "on 8 or more pictures that were not used to choose the name. Baseline: {baseline}",
    "density_spread": "How many latents have which density; both axes are logarithmic. Baseline, the line: {even}, the "
    "density of every latent if all were active equally often.",
    "purity_spread": "Label purity: the share of a gallery's labelled pictures that carry one label. Baseline, the "
    "line: {baseline}, the mean of galleries as large whose pictures are drawn at random from the store.",
    "map": "Every point is a latent, placed by its direction (decoder row): t-SNE by cosine, perplexity 30, started "
    "from the principal components; fewer than 120 latents by the components alone. Only what lies close together "
    "means something: distances between groups, sizes of groups and the axes do not. Baseline: unrelated directions "
    "form one even cloud.",
    "map_density": "Density: the share of the store's pictures in which the latent is active; the colours are "
    "logarithmic. Baseline, the mark: {baseline}, if all latents were active equally often.",
    "map_labels": "The most common label of each latent's gallery; the {baseline} labels of most latents have a "
    "colour. Baseline: if directions had nothing to do with labels, the colours would be mixed evenly.",
    "map_activation": "Strongest activation: the largest value of the latent in this store. Baseline: 0, "
    "in all pictures where it is not active.",
    "labels": "Share of the gallery that carries the label, which leads to the latents whose most common label it is. "
    "Baseline, behind it: the label's share in the whole store.",
    "cosine_pair": "Cosine between the CLIP embeddings of both sides; of several pictures, between their mean "
    "embeddings. Baseline: {baseline}, the mean of 600 draws of as many random pictures, and as many of them on both "
    "sides; means of many pictures are always more alike.",
    "cosine_pair_centred": "Cosine between the mean CLIP embeddings of both sides, the mean of the whole store taken "
    "off both: what all pictures share no longer counts. Baseline: {baseline}, the mean of 600 draws of as many random "
    "pictures, and as many of them on both sides.",
    "cosine_parts_centred": "The cosine as an exact sum, the store's mean embedding taken off both sides and off the "
    "bias. A latent's part is half of (its activation in A times its decoder row's product with B, plus the reverse), "
    "divided by both norms; the bias less the mean and the residual are split alike. The line: the mean cosine of "
    "random pictures.",
    "cosine_parts": "The cosine as an exact sum. A latent's part is half of (its activation in A times its decoder "
    "row's product with B, plus the reverse), divided by both norms; bias and residual are split alike. Above, the "
    "largest parts on a scale of their own; below, the sum of all, each bar from where the last ended. Baseline, the "
    "line: the cosine of random pictures.",
    "overlap": "Latents active in at least one picture of both sides. Baselines: the same numbers of latents drawn at "
    "random from those that are not dead (hypergeometric expectation), and as many random pictures on either side.",
    "meaningless": "Every text has nearest pictures, and these lie close together whatever it means, so that random "
    "pictures are easily beaten. Baseline: the pictures nearest to each of 256 strings of random letters, as many as "
    "stand for the words, against the same other side.",
    "angles": "Principal angles: the smallest angle between a direction of one span and one of the other, then the "
    "next at right angles to these, and so on; 0 is shared, 90° unrelated. A span is that of a side's k strongest "
    "latents, or of the latents that were chosen. Baselines: spans of random directions in {d} dimensions, and of "
    "random latents that are as often active as those they stand for.",
    "geometry": "Every point is a picture. The first axis is the first concept's direction, each further one what is "
    "left of its concept's direction at right angles to the axes before (Gram-Schmidt); a coordinate is the product "
    "of the embedding, taken from {origin}, with the axis. Arrows are the concepts' directions. Baseline: the random "
    "pictures.",
    "direction_cosines": "Cosine between the concepts' directions; 0 is a right angle, and then the axes are the "
    "concepts themselves. Baseline: within ±{chance} for 95 % of random directions in {d} dimensions.",
    "label_concepts": "Share of a label's pictures in the whole store in which the concept is active, P(active | "
    "label). Labels of these pictures come first, then, marked ≈, those of near pictures. Baseline, the first column: "
    "the concept's density, its share of all pictures.",
    "recall": "Of the store's pictures with the gallery's most common label, or with the words of the name in label, "
    "caption or file name: the share in which the latent is active. A gallery shows what a latent finds; the link "
    "shows what it leaves. Baseline: the density, its share of all pictures.",
    "similar": "Cosine between the directions (decoder rows) of two latents. Baseline: about 0 for random directions.",
    "nearest_direction": "Cosine of a latent's direction (decoder row) with the nearest one of another latent; dead "
    "latents are left out. 1: both add the same to a reconstruction, and one of them is a duplicate. Baselines: the "
    "same within a dictionary of {n} drawn at random, with the pictures' covariance or isotropic. The more directions, "
    "the closer the nearest.",
    "counterpart": "The latents of another SAE on the same pictures that are most like this one: the one whose "
    "direction (decoder row) is nearest, and the one that shares most pictures, where it is another; in brackets the "
    "pictures in which both are active, over those in which at least one is (Jaccard index). Names are the other SAE's "
    "own. Baselines: how near random directions with the pictures' covariance come to any latent of the other SAE, and "
    "what their strongest pictures, as many, share with one. What an SAE finds depends on its seed, too; what another "
    "finds again depends on it less. Not found again: it may be divided there among several, or part of a broader one.",
    "found_again": "Cosine of a latent's direction (decoder row) with the nearest one of another SAE on the same "
    "pictures; dead latents are left out. Baseline: the same of {n} with the pictures' covariance.",
    "shared_again": "The largest share of a latent's pictures that a latent of the other SAE has, too: pictures in "
    "which both are active, over those in which at least one is (Jaccard index). Baseline: the same of the strongest "
    "pictures of random directions with the pictures' covariance, as many as each latent has.",
    "jaccard": "Pictures in which both latents are active, over those in which at least one is (Jaccard index). Of "
    "each latent the store names twelve others, those that most certainly are active together with it beyond chance: "
    "one that shares more may be missing. Duplicates may also share none, where one takes the other's place. Baseline: "
    "what is shared by chance.",
    "nearest": "Cosine between the CLIP embeddings of two pictures. Baseline: {random}, between two random pictures.",
    "nearest_recall": "Share of the ten most similar pictures that a search for nearest pictures finds, measured on "
    "256 pictures spread over the store. Large stores search short codes, and measure what these propose exactly. "
    "Baseline: an exhaustive search finds 100 %.",
    "names": "Names: good where the lower 95 % bound of the name score is high enough to be believed, or where "
    "a person gave the name; weak otherwise. Borne out: labels or captions say it, or those of three of the twelve "
    "strongest pictures and three times as many as by chance; a “~” stands before good names that are not. "
    "Baseline: a name score of 0.5, a name that says nothing.",
    "z": "z: how many standard deviations a latent's score lies above the mean of all latents. Baseline: 0, the mean; "
    "scores of text and picture have different units, their z can be compared.",
    "picture_z": "z: how many standard deviations a picture's cosine with the text lies above the mean over all "
    "pictures of the store. Baselines: 0, the mean, and the nearest of the same pictures to each of 256 strings of "
    "random letters (where over 65,536 match, of all pictures).",
    "picture_words": "Words: each must begin a word of the picture's {where}, in small or capital letters; “cat” finds "
    "“cats”, but not “education”. Baseline: all pictures of the store, beside the count.",
    "strength": "Strength: the smallest activation among the latents that must all be active; where there are none, "
    "the largest among those of which one must be. Baseline: 0, not active.",
    "independent": "The baseline: as many pictures as would match if latents, each as often active as it is, were "
    "independent of each other, of label and words, but for how many are active in a picture (where that is always k, "
    "one’s place is another’s loss). It is the product of their densities (1 − density where one must not be active), "
    "times that correction for each pair: for two latents the chance that “active together” counts as 1.",
    "where_occlusion": "Occlusion: parts of the picture, a seventh of it wide, are hidden in turn under the "
    "encoder's mean colour, and it is encoded anew each time. A cell shows how much pre-activation hiding it costs, as "
    "the mean over the parts that cover it. Baseline: 0, hiding it changes nothing.",
    "where_gradients": "Integrated gradients: the pre-activation's gradient, added up on the way from the mean colour "
    "to the picture and shared out among the pixels; a cell shows its pixels' sum. Baseline: 0, for a cell that adds "
    "nothing to the mean colour; all cells sum to what the picture adds to it.",
    "where_pre_activation": "Pre-activation: the latent's value before Top-K or thresholds. Baselines: what it must "
    "exceed to be kept in this picture, and that of the mean colour alone, a picture of nothing.",
    "deletion": "Deletion test: cells are removed (painted in the mean colour) by falling map value and the picture is "
    "encoded anew; the sooner the pre-activation falls, the better the map found the pixels that matter. Baselines: "
    "random orders, whose standard deviation is what areas must differ by, and from the centre outwards, where "
    "pictures have their subject.",
    "energy": "Energy: share of the embedding's squared length that lies in the span of the first j directions, the "
    "squared cosine of the angle between them. Baselines: the best j dimensions there are for these pictures "
    "(principal components), j random latents of equal density, and random pictures with latents of their own.",
    "energy_centred": "Energy: the embedding's way from the store's mean, and the share of its squared length that "
    "lies in the span of the first j directions. Baselines: the best j dimensions there are for these pictures "
    "(principal components), j random latents of equal density, and random pictures with latents of their own.",
    "neighbourhood": "The pictures nearest by cosine to the choice (to the mean of its pictures), all latents that are "
    "active in at least one of them, and how few are enough. Baselines: as many pictures of one label, as many random "
    "ones, and as many around random ones: any neighbourhood has fewer than random pictures.",
    "few_mass": "Mass: the sum of all activations. Latents are taken by their own sum, largest first: no other choice "
    "of as few keeps more. Baseline: all latents that are active in the set.",
    "few_energy": "Energy: squared length of all reconstructions less the bias that lies in the span of the chosen "
    "directions. They are chosen by simultaneous orthogonal matching pursuit (Tropp et al. 2006). Baseline: all "
    "latents that are active in the set.",
    "few_labels": "Labels: the share of pictures to which a linear head (a discriminant of the whole store) gives the "
    "same label when they are rebuilt from the strongest latents alone as from all. Baseline: all latents that are "
    "active in the set.",
    "nearest_plain": "Cosine between a picture's embedding and the mean of the chosen pictures' embeddings. Baseline: "
    "the random pictures of the table.",
    "heads": "Test-time training (arXiv 2509.24510): a copy of the global head takes 50 full-batch steps of Adam on "
    "the nearest pictures of the store's first half, and both are judged on the nearest pictures of the second, which "
    "neither has seen. The global head is a linear discriminant fitted to the whole first half. Baselines: that head, "
    "the same steps on random pictures, and the commonest label.",
    "fvu_here": "FVU of this picture: squared distance between its embedding and the reconstruction, divided by that "
    "between its embedding and the store's mean embedding. Baselines: 1, for answering with that mean, and {mean}, the "
    "store's FVU.",
    "accounting": "A text's CLIP score is the cosine of two unit embeddings. The picture's is exactly the sum of its "
    "kept latents (activation times decoder row), the bias and a residual; so the score is the sum of their parts, "
    "without any approximation. Baseline, the line: the text's mean score over the store's pictures.",
    "text_score": "CLIP score: cosine of the embeddings of picture and text. CLIP's are small: what counts is how far "
    "it lies from its baseline, the text's mean over the store's pictures.",
    "store_score": "The text's mean score over all pictures of the store, ± one standard deviation: the baseline that "
    "this picture's score is to be read against.",
    "score_z": "z: how many of the store's standard deviations the picture's score lies above the store's mean. "
    "Baseline: 0, a text that fits this picture no better than any other.",
    "rebuilt_score": "The text's cosine with the reconstruction, made unit. Baseline: the score itself; the difference "
    "is what the sparse code does not hold.",
    "edited_score": "The text's cosine with the edited embedding, made unit, and the change. Baseline: the score "
    "before the edit.",
    "suggested_labels": "The store's labels by cosine between this picture and the mean embedding of the label's "
    "pictures, closest first; CLIP's text encoder ranks them only once they are scored. Baseline: 0, unrelated.",
    "edit": "An edit moves the embedding by (new − old activation) × decoder row for each changed latent; bias and "
    "residual stay, and the result is made unit. An added latent begins with its mean activation; a dead one with the "
    "mean over all others. Baseline: the slider's middle, the activation as it is.",
    "edited_embedding": "Cosine between the edited embedding, made unit, and the original. Baseline: 1, no edit.",
    "reconstruction": "Cosine between this picture's embedding and what its sparse code rebuilds. Baselines: the "
    "store's mean {mean}, and {random} with what another picture's code rebuilds.",
}
